"""What the record of a timed pair says: which pair it is, and how many times as long the old network took."""

from __future__ import annotations

from inception_bench.measure.measurement import PairMeasurement
from inception_bench.records.record import Record
from inception_bench.records.statistics import Interval, median_interval
from inception_bench.spec.pair import Pair


def pair_of(record: Record[PairMeasurement]) -> Pair:
    """The pair that a record is of."""
    if record.body.partner is None:
        raise ValueError("the record of a pair names its partner")
    return Pair(record.body.pair, record.own_case, record.body.partner)


def time_ratio(record: Record[PairMeasurement]) -> Interval:
    """The time of the old network over that of the new one: the median of the ratios of paired rounds."""
    return median_interval(record.body.timed.ratios())
