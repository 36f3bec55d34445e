"""What the suite of modules drives: two networks beside each other on one runtime."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.measure.cell import Cell
from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.measure.pairing import PAIR_ROUNDS
from inception_bench.plugin.items.base import CellDrivingItem, build_ahead, time_cell
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.records.record import Record
from inception_bench.records.sampling import Sampling
from inception_bench.records.speedup import speedup
from inception_bench.spec.pair import Pair


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
    def _sampling(self) -> Sampling:
        return _sampling_of(self.run, self.pair)

    def _new_cell(self) -> Cell:
        return _cell_of(self.run, self.watch, self.pair)

    def _known(self) -> Record[PairMeasurement] | None:
        return self.run.timed_before(self.pair)

    def _keep(self, measured: Measurement) -> Record[PairMeasurement]:
        return self.run.keep_pair(self.pair, measured, is_item=True)

    def _result(self, record: Record[PairMeasurement]) -> str:
        ratio = speedup(record)
        return f"{ratio.value:.2f} ({ratio.low:.2f}-{ratio.high:.2f})x what it replaces"


def measure_pair(run: BenchRun, watch: Watch, pair: Pair) -> Record[PairMeasurement]:
    """The record of a pair that a claim needs; the pair is timed now unless this run or an earlier one has timed it."""
    known = run.timed_before(pair)
    if known is not None:
        return known
    build_ahead(run, watch)
    run.read_machine()
    return run.keep_pair(pair, time_cell(_cell_of(run, watch, pair), _sampling_of(run, pair), watch))


def _sampling_of(run: BenchRun, pair: Pair) -> Sampling:
    return run.sampling(pair.new.runtime, PAIR_ROUNDS)


def _cell_of(run: BenchRun, watch: Watch, pair: Pair) -> Cell:
    return run.cell(pair.new, watch.stage, pair.old, rounds=PAIR_ROUNDS)
