"""``python -m inception_bench``: the same as ``inception-bench``."""

from inception_bench.cli import main

main()
