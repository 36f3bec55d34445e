"""What the suite of modules drives: two networks beside each other on one runtime."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.measure.cell import Cell
from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.measure.pairing import pair_rounds
from inception_bench.plugin.items.base import CellDrivingItem, time_cell
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.records.pairs import time_ratio
from inception_bench.records.record import Record
from inception_bench.records.statistics import median_interval
from inception_bench.spec.pair import Pair

# The 95 % interval of a ratio is narrow enough for a claim where it is this share of the ratio wide, and a pair takes
# at most this many times its usual rounds to become so.
NARROW = 0.03
MOST_TIMES = 4


@dataclass
class PairItem(CellDrivingItem[PairMeasurement]):
    """One pair as a test: a factorisation beside what it replaces."""

    pair: Pair

    @property
    def _name(self) -> str:
        return self.pair.id

    @property
    def _backend(self) -> str:
        return self.pair.new.runtime.backend

    @property
    def _rounds(self) -> int:
        return pair_rounds(self.pair.new.network.model)

    def _new_cell(self) -> Cell:
        return _cell_of(self.run, self.watch, self.pair)

    def _known(self) -> Record[PairMeasurement] | None:
        return self.run.timed_before(self.pair)

    def _keep(self, measured: Measurement) -> Record[PairMeasurement]:
        return self.run.keep_pair(self.pair, measured)

    def _result(self, record: Record[PairMeasurement]) -> str:
        ratio = time_ratio(record)
        return f"{ratio.value:.2f} ({ratio.low:.2f}-{ratio.high:.2f})x what it replaces"


def measure_pair(run: BenchRun, watch: Watch, pair: Pair) -> Record[PairMeasurement]:
    """The record of a pair that a claim needs; the pair is timed now unless this run or an earlier one has timed it."""
    known = run.timed_before(pair)
    if known is not None:
        return known
    run.build_ahead(watch.stage)
    rounds = pair_rounds(pair.new.network.model)
    return run.keep_pair(pair, time_cell(_cell_of(run, watch, pair), lambda cell: until_narrow(cell, rounds)))


def until_narrow(cell: Cell, rounds: int) -> None:
    """Time ``rounds`` rounds, and as many again while the ratio's interval is wide, up to four times as many.

    A busy machine needs more rounds for the same interval. Only the width of the interval decides when to stop, never
    whether the ratio agrees with the claim: who goes on until a verdict pleases will find it in noise.
    """
    for _ in range(MOST_TIMES):
        for _ in range(rounds):
            cell.before()
            cell.round()
            cell.after()
        ratio = median_interval(cell.ratios())
        if ratio.high - ratio.low <= NARROW * ratio.value:
            return


def _cell_of(run: BenchRun, watch: Watch, pair: Pair) -> Cell:
    return run.cell(pair.new, watch.stage, pair.old)
