"""How many times as long the partner of a cell took: the ratio over pairs of processes, and its 95 % interval."""

from __future__ import annotations

import math

from inception_bench.measure.measurement import Measurement
from inception_bench.measure.rounds import Rounds
from inception_bench.records.estimate import INTERVAL_LEVEL, ProcessSpread, estimate
from inception_bench.records.process_pair import Block
from inception_bench.records.record import Record
from inception_bench.records.statistics import Interval, median_interval
from inception_bench.spec.runtime import Runtime

# By the conditions in which cells are timed. Those of several threads are from rows of eager beside itself (0.8 to
# 0.9 % at two threads), those of one thread about half of that; both were set before the trials in docs/intervals.md,
# which are too few for a fit so far. A GPU takes the larger one until it is measured.
ONE_THREAD = ProcessSpread(deviation=0.0040, round_s=0.007, prior_pairs=8)
THREADS = ProcessSpread(deviation=0.0085, round_s=0.007, prior_pairs=8)


def spread_on(runtime: Runtime) -> ProcessSpread:
    """How far two processes of one program differ on a runtime."""
    return ONE_THREAD if runtime.device == "cpu" and runtime.threads == 1 else THREADS


def speedup(record: Record[Measurement]) -> Interval:
    """The time of a cell's partner over its own, with the 95 % interval over its pairs of processes.

    Of rounds of one pair of processes, as records of schema 1 and 2 have them, the interval is within that pair: it
    is no 95 % interval, as what differs from process to process is not in it. Raises ValueError where nothing was
    timed.
    """
    return ratio(record.body.timed, spread_on(record.own_case.runtime))


def ratio(rounds: Rounds, spread: ProcessSpread) -> Interval:
    """The partner's time over the candidate's; see ``speedup``. Raises ValueError where there are too few rounds."""
    if rounds.pairs == 1:
        return median_interval(rounds.ratios())
    estimated = estimate(blocks(rounds), spread)
    if estimated is None:
        raise ValueError(f"{len(rounds)} rounds over {rounds.pairs} pairs of processes are too few for an interval")
    half = estimated.half_width(INTERVAL_LEVEL)
    return Interval(*(math.exp(estimated.log_ratio + sign * half) for sign in (0, -1, 1)))


def blocks(rounds: Rounds) -> list[tuple[Block, ...]]:
    """The rounds as blocks by pairs of processes, the candidate as side a: a block is two pairs of rounds in turn."""
    numbers = rounds.process_pair or [0] * len(rounds)
    made: dict[int, list[Block]] = {}
    for at in range(0, len(rounds) - 1, 2):
        both = slice(at, at + 2)
        (own_first, own_second), (other_first, other_second) = rounds.candidate_s[both], rounds.reference_s[both]
        order = "BAAB" if rounds.reference_first[at] else "ABBA"
        block = Block(order, (own_first, own_second), (other_first, other_second))
        made.setdefault(numbers[at], []).append(block)
    return [tuple(made[number]) for number in sorted(made)]
