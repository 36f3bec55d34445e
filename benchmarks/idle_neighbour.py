"""A worker's round beside a loaded, idle worker, against the same round with that one stopped.

The neighbour is stopped and continued by signals, so both halves of a pair run on the same process
and memory; only the idle neighbour's own activity differs. Before the round the neighbour runs once
in both halves, as the paired reference does in a real run: what spins afterwards is what is measured.
"""

from __future__ import annotations

import os
import random
import signal

from pairs import Prepared, arguments, prepare, print_ratio

from inception_bench.measure.engine import Engine


def one_round(engine: Engine, neighbour: Engine, frozen: bool) -> float:
    neighbour.round()
    if frozen:
        os.kill(neighbour.pid, signal.SIGSTOP)
    seconds = engine.round().seconds
    if frozen:
        os.kill(neighbour.pid, signal.SIGCONT)
    return seconds


def measure(prepared: Prepared, beside: Prepared, rounds: int) -> tuple[list[float], list[float]]:
    engine, neighbour, draw = prepared.engine(), beside.engine(), random.Random(1)
    idle, frozen = [], []
    for _ in range(rounds):
        steps = [(False, idle), (True, frozen)]
        draw.shuffle(steps)
        for stop, values in steps:
            values.append(one_round(engine, neighbour, stop))
    engine.kill()
    neighbour.kill()
    return idle, frozen


def main() -> None:
    asked = arguments(__doc__)
    for model in asked.models.split(","):
        beside = prepare(model, "eager", asked.threads)
        for backend in asked.backends.split(","):
            pairs = measure(prepare(model, backend, asked.threads), beside, asked.rounds)
            print_ratio(f"{model} {backend}", *pairs, "beside an idle eager worker over beside a stopped one")


if __name__ == "__main__":
    main()
