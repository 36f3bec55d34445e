"""``import inception_bench`` and the start of a worker, against the same of another git revision, in random order.

python benchmarks/start_against.py REVISION
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable

from pairs import print_ratio

from inception_bench.backends.registry import find_backend
from inception_bench.gate.duet.revision import checked_out
from inception_bench.measure.engine import WORKER
from inception_bench.processes.installation import HOME, Installation
from inception_bench.processes.process import Process

LIMIT_S = 120.0
BACKEND = "onnxruntime"  # its worker imports no torch, whose import would hide all else


def import_s(installation: Installation) -> float:
    """Seconds of a Python that imports the package and ends."""
    begun = time.perf_counter()
    command = installation.command("import inception_bench")
    subprocess.run(command, env=installation.environment({}), check=True)
    return time.perf_counter() - begun


def worker_s(installation: Installation) -> float:
    """Seconds until a fresh worker has imported its engine and said so."""
    begun = time.perf_counter()
    process = Process(WORKER, environment={}, installation=installation)
    process.call("start", LIMIT_S, backend=find_backend(BACKEND).target, device="cpu", protocol=1)
    seconds = time.perf_counter() - begun
    process.kill()
    return seconds


def compare(name: str, seconds_of: Callable[[Installation], float], sides: dict[str, Installation], pairs: int) -> None:
    draw = random.Random(1)
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for installation in sides.values():
        seconds_of(installation)  # its files are then in the system's memory, and compiled
    for _ in range(pairs):
        for side in draw.sample(sorted(sides), 2):
            taken[side].append(seconds_of(sides[side]))
    print_ratio(name, taken["here"], taken["there"], "time here over there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="a git revision of this project")
    parser.add_argument("--pairs", type=int, default=200)
    given = parser.parse_args()
    with checked_out(given.revision) as tree:
        sides = {"here": Installation(sys.executable, HOME), "there": Installation(sys.executable, tree)}
        compare("import inception_bench", import_s, sides, given.pairs)
        compare(f"worker with {BACKEND}", worker_s, sides, given.pairs)


if __name__ == "__main__":
    main()
