"""What the suite of modules gets to drive: two networks beside each other on one runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inception_bench.claims.timing import time_ratio
from inception_bench.measure.cell import Cell
from inception_bench.measure.pairing import pair_rounds
from inception_bench.measure.stages import CellStopped
from inception_bench.plugin.clock import ReportedClock
from inception_bench.plugin.items.cells import show_rounds, tell_pytest, time_rounds
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.records.record import Record
from inception_bench.records.statistics import median_interval
from inception_bench.spec.pair import Pair

# A ratio's 95 % interval is narrow at this share of the ratio; a claim's pair takes at most so many times its rounds.
NARROW = 0.03
MOST_TIMES = 4


def measure_pair(run: BenchRun, watch: Watch, pair: Pair, time: Callable[[Cell, int], None]) -> Record:
    """Build, compare and time both sides; ``time`` makes the rounds. The record is written whatever happens.

    A pair that this run has measured already, or taken over from an earlier one, is not measured again.
    """
    known = run.timed_before(pair)
    if known is not None:
        return known
    cell = run.cell(pair.new, watch.stage, pair.old)
    try:
        cell.prepare()
        cell.begin()
        time(cell, pair_rounds(pair.new.network.model))
        cell.end()
    except CellStopped as stopped:
        cell.stop(stopped)
    finally:
        cell.close()
    return run.keep_pair(pair, cell.measurement)


def until_narrow(cell: Cell, rounds: int) -> None:
    """Time ``rounds`` rounds, and as many again while the ratio's interval is wide, up to four times as many.

    A busy machine needs more rounds for the same interval. Only the width decides when to stop, never on which
    side of a claim's boundary the ratio lies: going on until a verdict pleases would find one in noise.
    """
    for _ in range(MOST_TIMES):
        for _ in range(rounds):
            cell.before()
            cell.round()
            cell.after()
        found = median_interval(cell.ratios())
        if found.high - found.low <= NARROW * found.value:
            return


@dataclass
class PairItem:
    """One pair as a test: measures, keeps the record, and tells pytest the outcome."""

    run: BenchRun
    watch: Watch
    pair: Pair
    clock: ReportedClock
    timed: bool

    def measure(self, benchmark: Any) -> None:
        """Build, compare, and time with pytest-benchmark's fixture."""
        self.watch.begin(self.pair.id)
        if not self.timed:
            self._check(benchmark)
            return
        known = self.run.timed_before(self.pair)

        def time(cell: Cell, rounds: int) -> None:
            time_rounds(benchmark, cell, rounds, self.watch, self.clock)

        record = measure_pair(self.run, self.watch, self.pair, time)
        if known is not None and known.body["outcome"] == "ok":
            show_rounds(benchmark, known, self.clock)
        body = record.body
        if body["outcome"] == "ok":
            found = time_ratio(record)
            line = f"{found.value:.2f} ({found.low:.2f}-{found.high:.2f})x what it replaces"
        else:
            line = body["reason"]
        self.watch.finish(body["outcome"], line)
        self._tell(body["outcome"], body["stage"], body["reason"])

    def _check(self, benchmark: Any) -> None:
        """Build and compare without a clock."""
        cell = self.run.cell(self.pair.new, self.watch.stage, self.pair.old)
        try:
            cell.prepare()
            cell.measurement.outcome = "ok"
            benchmark.pedantic(lambda: None)
        except CellStopped as stopped:
            cell.stop(stopped)
        finally:
            cell.close()
        measured = cell.measurement
        self.watch.finish("checked" if measured.outcome == "ok" else measured.outcome, measured.reason)
        self._tell(measured.outcome, measured.stage, measured.reason)

    def _tell(self, outcome: str, stage: str, reason: str) -> None:
        tell_pytest(outcome, stage, reason, self.pair.new.runtime.backend in self.run.selection.required)
