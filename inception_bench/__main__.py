"""``python -m inception_bench``: the same as the command ``inception-bench``."""

from inception_bench.cli import main

main()
