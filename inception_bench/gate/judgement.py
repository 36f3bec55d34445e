"""The verdict on a cell of a duet: ``same``, ``faster``, ``slower`` or ``unclear``, made from the stored blocks.

A cell is judged at several looks: each time that a pair of processes, or all pairs that started at once, has been
timed. Every look is one more chance of a false alarm, so each has a stricter level of its own (``sequential``). The
verdict is

* ``same`` if the whole 95 % interval lies between minus and plus the smallest effect that matters;
* ``slower`` (or ``faster``) if the effect differs from zero at the level of an alarm, the look before suspected the
  same direction, and the pairs measured since that look show it too. Those are fresh processes, which had no part in
  the suspicion;
* ``unclear`` if the budget ended before any of these.

The level of an alarm is FAMILY_LEVEL divided by the number of cells. When all cells are done, Holm's step-down rule
(Scand. J. Stat. 6, 1979) may settle cells that are still unclear: it holds the smallest p-value of all cells against
that level and each next p-value against a milder one. The p-values are sequential ones, which allow for the number of
looks. So the probability of any false ``slower`` in the whole duet stays below FAMILY_LEVEL, and that of any false
``faster`` too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from inception_bench.gate.sequential import nominal_levels, sequential_p
from inception_bench.records.duet_body import Rule
from inception_bench.records.estimate import INTERVAL_LEVEL, Estimate, estimate
from inception_bench.records.process_pair import ProcessPair, blocks_of

SAME, FASTER, SLOWER, UNCLEAR = "same", "faster", "slower", "unclear"
FAMILY_LEVEL = 0.005
LEAST_PAIRS = 2  # one pair of processes cannot tell programs from processes


@dataclass(frozen=True)
class Judgement:
    """A cell's verdict. ``effect`` is the share by which side b takes longer (0.01 is 1 %); None without data.

    ``low`` and ``high`` are the effect's 95 % interval. ``p_slower`` and ``p_faster`` are one-sided p-values that
    allow for all looks. ``confirmed`` is the direction (1 slower, -1 faster) in which this look, the look before and
    the fresh pairs between them agree; 0 where they do not.
    """

    verdict: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_slower: float = 1.0
    p_faster: float = 1.0
    pairs: int = 0
    blocks: int = 0
    confirmed: int = 0


def judge(pairs: Sequence[ProcessPair], rule: Rule) -> Judgement:
    """The verdict at the look that follows the newest of ``pairs``."""
    estimated = estimate(blocks_of(pairs))
    if estimated is None:
        return Judgement(UNCLEAR, pairs=len(pairs))
    look = rule.look(len(pairs))
    half = estimated.half_width(nominal_levels(INTERVAL_LEVEL, rule.looks)[look - 1])
    low, high = estimated.log_ratio - half, estimated.log_ratio + half
    slower, faster = _levels(estimated, look, rule)
    confirmed = _confirmed(pairs, rule)
    judgement = Judgement(
        UNCLEAR, math.expm1(estimated.log_ratio), math.expm1(low), math.expm1(high), slower, faster, estimated.pairs,
        estimated.blocks, confirmed,
    )  # fmt: skip
    bar = math.log1p(rule.min_effect)
    if estimated.pairs < LEAST_PAIRS:
        return judgement
    if -bar < low and high < bar:
        return replace(judgement, verdict=SAME)
    return _alarmed(judgement, FAMILY_LEVEL / rule.cells)


def settle(judgements: Sequence[Judgement]) -> list[Judgement]:
    """The judgements of all cells of a duet, after Holm's rule has settled what it can of the unclear ones."""
    settled = list(judgements)
    for direction, p_of in ((1, attrgetter("p_slower")), (-1, attrgetter("p_faster"))):
        order = sorted(range(len(settled)), key=lambda place: p_of(judgements[place]))
        for rank, place in enumerate(order):
            level = FAMILY_LEVEL / (len(order) - rank)
            if p_of(judgements[place]) > level:
                break
            if settled[place].verdict == UNCLEAR and judgements[place].confirmed == direction:
                settled[place] = _alarmed(settled[place], level)
    return settled


def _alarmed(judgement: Judgement, level: float) -> Judgement:
    if judgement.p_slower <= level and judgement.confirmed > 0:
        return replace(judgement, verdict=SLOWER)
    if judgement.p_faster <= level and judgement.confirmed < 0:
        return replace(judgement, verdict=FASTER)
    return judgement


def _levels(estimated: Estimate, look: int, rule: Rule) -> tuple[float, float]:
    """The sequential p-values of slower and of faster: one-sided, and allowing for all looks."""
    nominal = estimated.p_slower()
    return sequential_p(nominal, look, rule.looks), sequential_p(1 - nominal, look, rule.looks)


def _confirmed(pairs: Sequence[ProcessPair], rule: Rule) -> int:
    """The direction that the look before suspected and the pairs measured since then show too; 0 if there is none.

    A suspicion is a p-value of at most FAMILY_LEVEL: the mildest level that Holm's rule may use, that of a single cell.
    """
    earlier = pairs[: -rule.pairs_a_look]
    before, fresh = estimate(blocks_of(earlier)), estimate(blocks_of(pairs[-rule.pairs_a_look :]))
    if before is None or fresh is None:
        return 0
    slower, faster = _levels(before, rule.look(len(earlier)), rule)
    if slower <= FAMILY_LEVEL and fresh.log_ratio > 0:
        return 1
    return -1 if faster <= FAMILY_LEVEL and fresh.log_ratio < 0 else 0
