"""What the record of a timed factorisation says: which networks were timed beside each other."""

from __future__ import annotations

from inception_bench.measure.measurement import PairMeasurement
from inception_bench.records.record import Record
from inception_bench.spec.pair import Pair


def pair_of(record: Record[PairMeasurement]) -> Pair:
    """The pair that a record is of."""
    if record.body.partner is None:
        raise ValueError("the record of a pair names its partner")
    return Pair(record.body.pair, record.own_case, record.body.partner)
