"""A worker's round against a bare loop over the same engine in this process, in random order."""

from __future__ import annotations

import os
import random
import sys
import time

import numpy as np
from pairs import WARMUP_ROUNDS, Prepared, arguments, prepare, print_ratio

from inception_bench.backends.registry import find_backend
from inception_bench.measure.workshop import ALLOCATOR, setup_of
from inception_bench.worker import settle


class BareLoop:
    """The engine in this process, called and timed with nothing around it."""

    def __init__(self, prepared: Prepared):
        backend = find_backend(prepared.case.runtime.backend).backend
        self.session = backend.load(prepared.folder, setup_of(prepared.case))
        self.batch = self.session.put(np.ascontiguousarray(np.load(prepared.images)[:1]))
        for _ in range(WARMUP_ROUNDS):
            self.session.run(self.batch)

    def round(self) -> float:
        start = time.perf_counter()
        self.session.run(self.batch)
        self.session.synchronize()
        seconds = time.perf_counter() - start
        settle()  # as a worker does: else this process's idle threads would slow the worker's round
        return seconds


def measure(prepared: Prepared, rounds: int) -> tuple[list[float], list[float]]:
    bare, engine, draw = BareLoop(prepared), prepared.engine(), random.Random(1)
    in_worker, in_loop = [], []

    def ask() -> None:
        in_worker.append(engine.round().seconds)

    for _ in range(rounds):
        steps = [ask, lambda: in_loop.append(bare.round())]
        draw.shuffle(steps)
        for step in steps:
            step()
    engine.kill()
    return in_worker, in_loop


def main() -> None:
    if not ALLOCATOR.items() <= os.environ.items():  # glibc reads them at the start: the same for both sides
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR})
    asked = arguments(__doc__)
    for model in asked.models.split(","):
        for backend in asked.backends.split(","):
            pairs = measure(prepare(model, backend, asked.threads), asked.rounds)
            print_ratio(f"{model} {backend}", *pairs, "worker over bare loop")


if __name__ == "__main__":
    main()
