"""What the suites of latency, complexity and training drive: a cell, a network's cost, a training, a training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inception_bench.measure.cell import Cell
from inception_bench.measure.counting import count_disagreements, counting_line
from inception_bench.measure.measurement import Measurement
from inception_bench.measure.timed_step import TimedStep
from inception_bench.measure.training import StepTiming
from inception_bench.models.counted import Counted
from inception_bench.plugin.clock import ReportedClock
from inception_bench.plugin.items.base import CellDrivingItem, Ending, Item, build_ahead
from inception_bench.processes.process import CallFailed
from inception_bench.records.record import Record
from inception_bench.records.sampling import Sampling
from inception_bench.report.board import read_row
from inception_bench.report.text import milliseconds, ratio
from inception_bench.report.training import step_line, training_line
from inception_bench.spec.case import Case
from inception_bench.train.trained import Trained


@dataclass
class CellItem(CellDrivingItem[Measurement]):
    """One cell as a test: a network on a runtime, beside eager."""

    case: Case

    @property
    def _name(self) -> str:
        return self.case.id

    @property
    def _backend(self) -> str:
        return self.case.runtime.backend

    @property
    def _sampling(self) -> Sampling:
        return self.run.sampling(self.case.runtime)

    def _new_cell(self) -> Cell:
        return self.run.cell(self.case, self.watch.stage)

    def _known(self) -> Record[Measurement] | None:
        earlier = self.run.measured_before(self.case)
        return None if earlier is None else self.run.take_over(earlier)

    def _keep(self, measured: Measurement) -> Record[Measurement]:
        return self.run.keep_cell(self.case, measured)

    def _result(self, record: Record[Measurement]) -> str:
        row = read_row(record)
        return f"{milliseconds(row.latency_s_p50)}  {ratio(row.speedup)}x eager"


@dataclass
class NetworkItem(Item[Counted, Counted]):
    """One network as a test: its cost by the table must be what the public counters say."""

    case: Case

    def count(self, benchmark: Any) -> None:
        """Count once, on pytest-benchmark's ordinary clock, and compare exactly."""
        self._drive(benchmark)

    @property
    def _name(self) -> str:
        return f"{self.case.network.address}-complexity"

    def _measure(self, benchmark: Any) -> Counted:
        counted: Counted = benchmark.pedantic(self.run.workshop.count, args=(self.case.network,))
        return counted

    def _keep(self, measured: Counted) -> Record[Counted]:
        return self.run.keep_complexity(self.case, measured)

    def _ending(self, measured: Counted, record: Record[Counted] | None) -> Ending:
        disagreements = "; ".join(count_disagreements(self.case.network, measured))
        if disagreements:
            return Ending("failed", disagreements, failure=disagreements)
        return Ending("counted", counting_line(measured))

    def _failed(self, error: CallFailed) -> Ending:
        why = f"{error.outcome}: {error}"
        return Ending("failed", why, failure=why)


@dataclass
class TrainingItem(Item[Trained, Trained]):
    """One network to train as a test."""

    clock: ReportedClock
    case: Case

    def train(self, benchmark: Any) -> None:
        """Train, or take the trained network from the cache; pytest-benchmark shows the seconds that its steps took."""
        self._drive(benchmark)

    @property
    def _name(self) -> str:
        return f"train {self.case.training_id}"

    def _measure(self, benchmark: Any) -> Trained:
        build_ahead(self.run, self.watch)
        self.watch.stage("train")

        def train() -> Trained:
            trained = self.run.workshop.training.result(self.case)
            self.clock.seconds += trained.train_s
            return trained

        trained: Trained = benchmark.pedantic(train)
        return trained

    def _keep(self, measured: Trained) -> Record[Trained]:
        return self.run.keep_training(self.case, measured)

    def _ending(self, measured: Trained, record: Record[Trained] | None) -> Ending:
        return Ending("trained", training_line(measured))


@dataclass
class StepItem(Item[TimedStep, TimedStep]):
    """One training step to time as a test."""

    clock: ReportedClock
    case: Case

    def time_step(self, benchmark: Any) -> None:
        """Time forward, backward and update on photographs, in a process that does nothing else."""
        self._drive(benchmark)

    @property
    def _name(self) -> str:
        return f"step {self.case.training_id}"

    def _measure(self, benchmark: Any) -> TimedStep:
        self.watch.stage("time")
        timing = StepTiming(self.case, self.run.workshop.training, self.run.timing.limits.time)

        def one_round() -> None:
            self.clock.seconds += timing.round()

        try:
            timing.begin()
            benchmark.pedantic(one_round, rounds=self.run.selection.profile.step_rounds)
            timing.end()
        finally:
            timing.close()
        return timing.timed()

    def _keep(self, measured: TimedStep) -> Record[TimedStep]:
        return self.run.keep_step(self.case, measured)

    def _ending(self, measured: TimedStep, record: Record[TimedStep] | None) -> Ending:
        return Ending("timed", step_line(self.case, measured))
