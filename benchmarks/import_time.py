"""Python starting with ``import inception_bench``, against Python starting with nothing, in random order."""

from __future__ import annotations

import random
import subprocess
import sys
import time

from inception_bench.records.statistics import median, median_interval

PAIRS = 60


def start(program: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - begun


def main() -> None:
    draw, extra, plain = random.Random(1), [], []
    for _ in range(PAIRS):
        programs = ["import inception_bench", "pass"]
        draw.shuffle(programs)
        seconds = {program: start(program) for program in programs}
        extra.append(seconds["import inception_bench"] - seconds["pass"])
        plain.append(seconds["pass"])
    found = median_interval(extra)
    print(
        f"import inception_bench: {found.value * 1e3:.1f} ms more than bare Python "
        f"(95 % {found.low * 1e3:.1f}-{found.high * 1e3:.1f}), {PAIRS} pairs, bare Python {median(plain) * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
