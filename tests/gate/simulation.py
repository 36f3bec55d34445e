"""Process pairs drawn at random as shared machines make them, with every figure of the noise given here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inception_bench.gate.judgement import UNCLEAR, Judgement, Rule, judge
from inception_bench.records.process_pair import Block, ProcessPair

ROUND_S = 0.020


@dataclass(frozen=True)
class Machine:
    """``process`` is the deviation of a process's log time, ``round_`` that of a round.

    In a burst (``burst_share`` of the blocks, in runs of about six) each round takes up to twice its time, and one
    side, drawn once a block, up to ``burst_bias`` more than the other: both are on the same cores, so no side is hit
    for as long as a pair lives. ``tail``: one round in so many is preempted and takes up to three times its time.
    """

    process: float = 0.0015
    round_: float = 0.012
    drift: float = 0.05
    burst_share: float = 0.0
    burst_bias: float = 0.0
    tail: int = 25


QUIET = Machine()
LOADED = Machine(round_=0.02, drift=0.2, burst_share=0.4, burst_bias=0.3, tail=10)


def draw_pair(random: np.random.Generator, machine: Machine, slowdown: float, blocks: int) -> ProcessPair:
    """Two fresh processes, the second slower by ``slowdown``."""
    layout = random.normal(0, machine.process, 2)
    made, burst = [], random.random() < machine.burst_share
    for number in range(blocks):
        if random.random() < 1 / 6:
            burst = random.random() < machine.burst_share
        order = str(random.choice(["ABBA", "BAAB"]))
        bias = random.uniform(-machine.burst_bias, machine.burst_bias)
        seconds: dict[str, list[float]] = {"A": [], "B": []}
        for place, side in enumerate(order):
            log = layout["AB".index(side)] + random.normal(0, machine.round_)
            log += machine.drift * np.sin((4 * number + place) / 40)
            log += np.log1p(slowdown) if side == "B" else 0.0
            if burst:
                log += random.uniform(0, 0.7) + (bias if side == "B" else 0.0)
            if random.integers(machine.tail) == 0:
                log += random.uniform(0, 1.1)
            seconds[side].append(ROUND_S * float(np.exp(log)))
        made.append(Block(order, (seconds["A"][0], seconds["A"][1]), (seconds["B"][0], seconds["B"][1])))
    return ProcessPair(1.5, tuple(made), {"a": 0.0, "b": 0.0}, {"a": 0, "b": 0})


def run_cell(seed: int, machine: Machine, slowdown: float, rule: Rule, blocks: int = 36) -> Judgement:
    """A cell's pairs, a look after each, until a verdict is clear or the planned looks are over."""
    random = np.random.default_rng(seed)
    pairs: list[ProcessPair] = []
    found = Judgement(UNCLEAR)
    while found.verdict == UNCLEAR and len(pairs) < rule.looks:
        pairs.append(draw_pair(random, machine, slowdown, blocks))
        found = judge(pairs, rule)
    return found
