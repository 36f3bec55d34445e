"""What the record of a timed pair says: which pair it is of, and how many times as long the old side took."""

from __future__ import annotations

from inception_bench.claims.verdict import Figure
from inception_bench.measure.rounds import Rounds
from inception_bench.records.record import Record
from inception_bench.records.statistics import median_interval
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair


def pair_of(record: Record) -> Pair:
    """The pair that a record is of."""
    return Pair(record.body["pair"], Case.from_json(record.case), Case.from_json(record.body["partner"]))


def time_ratio(record: Record) -> Figure:
    """Time of the old side over the new side's: the median over the rounds, each with its partner's beside it."""
    ratio = median_interval(Rounds(**record.body["rounds"]).ratios())
    return Figure(ratio.value, ratio.low, ratio.high)
