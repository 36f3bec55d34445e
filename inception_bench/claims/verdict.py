"""What a measured figure says about a claimed one. Pure: figures in, a word out."""

from __future__ import annotations

from collections.abc import Sequence

from inception_bench.claims.claim import Bound
from inception_bench.records.claim_body import INCONCLUSIVE, NOT_RUN, NOT_TESTABLE
from inception_bench.records.statistics import Interval

REPRODUCED = "reproduced"
CONTRADICTED = "contradicted"
VERDICTS = (REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE, NOT_RUN)

# What floating-point arithmetic may be off by: 1 - 18 / 25 is not exactly 0.28.
_ROUNDING = 1e-9
# The package and a calculation by hand give the same exact figure if they differ by at most this share, as a hand
# calculation may round. Otherwise one of the two is wrong.
_SAME = 1e-3


def decide(bound: Bound, measured: Interval) -> str:
    """``reproduced``, ``contradicted``, or ``inconclusive`` where the interval spans the boundary.

    An equality is reproduced where the whole interval lies within the tolerance. For an inequality the tolerance is a
    band around the boundary, and an interval that reaches into the band decides nothing.
    """
    if bound.relation == "=":
        slack = bound.tolerance + _ROUNDING * max(abs(bound.value), abs(measured.value))
        if bound.value - slack <= measured.low and measured.high <= bound.value + slack:
            return REPRODUCED
        outside = measured.high < bound.value - slack or measured.low > bound.value + slack
        return CONTRADICTED if outside else INCONCLUSIVE
    low, high = measured.low - bound.value, measured.high - bound.value
    if bound.relation in ("<", "<="):
        low, high = -high, -low
    equal = bound.relation in (">=", "<=")
    if low > bound.tolerance or (equal and low >= bound.tolerance):
        return REPRODUCED
    if high < -bound.tolerance or (not equal and high <= -bound.tolerance):
        return CONTRADICTED
    return INCONCLUSIVE


def combine(verdicts: Sequence[str]) -> str:
    """The verdict on a claim of several figures: contradicted where any of them is, reproduced where all are."""
    for verdict in (CONTRADICTED, INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return REPRODUCED


def decide_all(bounds: Sequence[Bound], measured: Sequence[Interval]) -> str:
    """The verdict on a claim that has one bound for each measured figure."""
    return combine([decide(bound, figure) for bound, figure in zip(bounds, measured, strict=True)])


def same(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two calculations of the same exact figures agree."""
    return len(first) == len(second) and all(
        abs(one - other) <= _SAME * max(abs(one), abs(other)) for one, other in zip(first, second, strict=True)
    )
