"""What a suite's test gets to drive: a cell to measure, a network to count.

They hand pytest-benchmark what the workers measured, keep the record, and tell pytest the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from inception_bench.measure.cell import Cell
from inception_bench.measure.counting import count_disagreements, counting_line
from inception_bench.measure.stages import CellStopped
from inception_bench.measure.training import StepTiming
from inception_bench.plugin.clock import ReportedClock
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.processes.process import CallFailed
from inception_bench.records.record import Record
from inception_bench.report.training import step_line, training_line
from inception_bench.spec.case import Case


def time_rounds(benchmark: Any, cell: Cell, rounds: int, watch: Watch, clock: ReportedClock) -> None:
    """Hand pytest-benchmark ``rounds`` rounds of a cell, its partner's beside each and outside the clock."""

    def before() -> None:
        watch.rounds(cell.rounds_done)
        cell.before()

    def one_round() -> None:
        clock.seconds += cell.round()

    benchmark.pedantic(one_round, setup=before, teardown=cell.after, rounds=rounds)


def show_rounds(benchmark: Any, record: Record, clock: ReportedClock) -> None:
    """Show pytest-benchmark the rounds of a record that was measured before."""
    seconds = iter(record.body["rounds"]["candidate_s"])

    def one_round() -> None:
        clock.seconds += next(seconds)

    benchmark.pedantic(one_round, rounds=len(record.body["rounds"]["candidate_s"]))


def tell_pytest(outcome: str, stage: str, reason: str, required: bool) -> None:
    """Pass, skip or fail the test that is under way.

    Few machines have every runtime: one that is unavailable is skipped with its reason, unless it is ``required``.
    """
    told = f"{outcome} in stage {stage!r}: {reason}"
    if outcome == "unavailable" and not required:
        pytest.skip(told)
    if outcome != "ok":
        pytest.fail(told, pytrace=False)


@dataclass
class CellItem:
    """One cell as a test: measures, keeps the record, and tells pytest the outcome."""

    run: BenchRun
    watch: Watch
    case: Case
    clock: ReportedClock
    timed: bool

    def measure(self, benchmark: Any) -> None:
        """Build, compare, and time with pytest-benchmark's fixture; the record is written whatever happens."""
        self.watch.begin(self.case.id)
        earlier = self.run.measured_before(self.case)
        if earlier is not None and self.timed:
            self._take_over(earlier, benchmark)
            return
        cell = self.run.cell(self.case, self.watch.stage)
        try:
            self._time(cell, benchmark)
        except CellStopped as stopped:
            cell.stop(stopped)
        finally:
            cell.close()
        measured = cell.measurement
        if self.timed:
            self.watch.finish_cell(self.run.keep_cell(self.case, measured))
        else:
            self.watch.finish("checked" if measured.outcome == "ok" else measured.outcome, measured.reason)
        required = self.case.runtime.backend in self.run.selection.required
        tell_pytest(measured.outcome, measured.stage, measured.reason, required)

    def _take_over(self, earlier: Record, benchmark: Any) -> None:
        """Keep what an earlier run measured, and show its rounds."""
        show_rounds(benchmark, earlier, self.clock)
        self.watch.finish_cell(self.run.take_over(earlier))

    def _time(self, cell: Cell, benchmark: Any) -> None:
        cell.prepare()
        if not self.timed:
            benchmark.pedantic(lambda: None)
            cell.measurement.outcome = "ok"
            return
        cell.begin()
        time_rounds(benchmark, cell, self.run.plan().rounds, self.watch, self.clock)
        cell.end()


@dataclass
class NetworkItem:
    """One network as a test: its cost by the table must be what the public counters say."""

    run: BenchRun
    watch: Watch
    case: Case
    keeps_record: bool

    def count(self, benchmark: Any) -> None:
        """Count once, on pytest-benchmark's ordinary clock, and compare exactly."""
        self.watch.begin(f"{self.case.network.address}-complexity")
        try:
            counted = benchmark.pedantic(self.run.workshop.count, args=(self.case.network,))
        except CallFailed as error:
            self._end("failed", f"{error.outcome}: {error}")
        if self.keeps_record:
            self.run.keep_complexity(self.case, counted)
        disagreements = count_disagreements(self.case.network, counted)
        if disagreements:
            self._end("failed", "; ".join(disagreements))
        self.watch.finish("counted", counting_line(counted))

    def _end(self, outcome: str, reason: str) -> NoReturn:
        self.watch.finish(outcome, reason)
        pytest.fail(reason, pytrace=False)


@dataclass
class TrainingItem:
    """One network to train, or one training step to time."""

    run: BenchRun
    watch: Watch
    case: Case
    clock: ReportedClock
    keeps_record: bool

    def train(self, benchmark: Any) -> None:
        """Train, or take the trained network from the cache; pytest-benchmark shows the seconds that its steps took."""
        self.watch.begin(f"train {self.case.training_id}")
        self.watch.stage("train")
        found: dict[str, Any] = {}

        def train() -> None:
            found.update(self.run.workshop.training.result(self.case))
            self.clock.seconds += found["train_s"]

        try:
            benchmark.pedantic(train)
        except CallFailed as error:
            self._end(error)
        if self.keeps_record:
            self.run.keep_training(self.case, found)
        self.watch.finish("trained", training_line(found))

    def time_step(self, benchmark: Any) -> None:
        """Time forward, backward and update on photographs, in a process that does nothing else."""
        self.watch.begin(f"step {self.case.training_id}")
        self.watch.stage("time")
        timing = StepTiming(self.case, self.run.workshop.training, self.run.timing.limits.time)
        try:
            timing.begin()

            def one_round() -> None:
                self.clock.seconds += timing.round()

            benchmark.pedantic(one_round, rounds=self.run.selection.profile.step_rounds)
            timing.end()
        except CallFailed as error:
            self._end(error)
        finally:
            timing.close()
        if self.keeps_record:
            self.run.keep_step(self.case, timing.to_json())
        self.watch.finish("timed", step_line(self.case, timing.to_json()))

    def _end(self, error: CallFailed) -> NoReturn:
        self.watch.finish(error.outcome, str(error))
        pytest.fail(f"{error.outcome}: {error}", pytrace=False)
