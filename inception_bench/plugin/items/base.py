"""The one way in which the items of the suites are driven: measured, kept, and told to the terminal and to pytest.

An item says only what differs: its name, how it is measured, what is kept, and what its ending is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import pytest

from inception_bench.measure.cell import Cell
from inception_bench.measure.measurement import Measurement
from inception_bench.measure.rounds import Rounds
from inception_bench.measure.stages import CellStopped
from inception_bench.plugin.clock import ReportedClock
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.processes.process import CallFailed
from inception_bench.records.record import Body, Record
from inception_bench.records.sampling import Sampling

Measured = TypeVar("Measured")
B = TypeVar("B", bound=Body)
Timed = TypeVar("Timed", bound=Measurement)


@dataclass(frozen=True)
class Ending:
    """How an item ended.

    ``word`` and ``line`` are shown in the terminal. ``failure`` or ``skipped`` says why pytest fails or skips the test;
    where both are empty the test passes. ``taken_over`` marks what was measured before, and took no time now.
    """

    word: str
    line: str
    failure: str = ""
    skipped: str = ""
    taken_over: bool = False

    def tell_pytest(self) -> None:
        """Pass, skip or fail the test that is under way."""
        if self.skipped:
            pytest.skip(self.skipped)
        if self.failure:
            pytest.fail(self.failure, pytrace=False)


@dataclass
class Item(ABC, Generic[Measured, B]):
    """What a test drives. ``timed`` is False under ``--benchmark-disable``: nothing is then timed, and nothing kept."""

    run: BenchRun
    watch: Watch
    timed: bool

    def _drive(self, benchmark: Any) -> None:
        """From the first word in the terminal to the test's outcome; the record is written before anything fails."""
        self.watch.begin(self._name)
        try:
            ending = self._measure_and_keep(benchmark)
        except CallFailed as error:
            ending = self._failed(error)
        except BaseException as error:
            self.watch.cut_off(error)
            raise
        self.watch.finish(ending.word, ending.line, taken_over=ending.taken_over)
        ending.tell_pytest()

    def _measure_and_keep(self, benchmark: Any) -> Ending:
        if not self.timed:
            return self._ending(self._measure(benchmark), None)
        known = self._from_earlier(benchmark)
        if known is not None:
            return replace(known, taken_over=True)
        measured = self._measure(benchmark)
        return self._ending(measured, self._keep(measured))

    @property
    @abstractmethod
    def _name(self) -> str:
        """What the terminal calls the item."""

    @abstractmethod
    def _measure(self, benchmark: Any) -> Measured:
        """Measure now, through pytest-benchmark's fixture. A CallFailed fails the item, and nothing is kept."""

    @abstractmethod
    def _keep(self, measured: Measured) -> Record[B]:
        """Write the record of what was measured."""

    @abstractmethod
    def _ending(self, measured: Measured, record: Record[B] | None) -> Ending:
        """How the item ended; ``record`` is what was kept of it, None where nothing is kept."""

    def _from_earlier(self, benchmark: Any) -> Ending | None:
        """The ending of an item that need not be measured again, shown and taken over; None where it must be."""
        return None

    def _failed(self, error: CallFailed) -> Ending:
        """The ending of an item whose measuring failed."""
        return Ending(error.outcome, str(error), failure=f"{error.outcome}: {error}")


@dataclass
class CellDrivingItem(Item[Measurement, Timed]):
    """An item that is a cell: two processes, each with its network, timed in turn."""

    clock: ReportedClock

    def measure(self, benchmark: Any) -> None:
        """Build, compare, and time with pytest-benchmark's fixture; the record is written whatever happens."""
        self._drive(benchmark)

    @property
    @abstractmethod
    def _backend(self) -> str:
        """The runtime that is measured."""

    @property
    @abstractmethod
    def _sampling(self) -> Sampling:
        """When the item has been timed enough."""

    @abstractmethod
    def _new_cell(self) -> Cell:
        """The cell, not yet begun."""

    @abstractmethod
    def _known(self) -> Record[Timed] | None:
        """This run's own record of an item that is measured already, here or in an earlier run that still holds."""

    @abstractmethod
    def _result(self, record: Record[Timed]) -> str:
        """One line of the times in a record whose outcome is ok."""

    def _from_earlier(self, benchmark: Any) -> Ending | None:
        record = self._known()
        if record is None:
            return None
        if record.body.is_ok:
            show_rounds(benchmark, record.body.timed, self.clock)
        return self._recorded(record)

    def _measure(self, benchmark: Any) -> Measurement:
        def check(cell: Cell) -> None:
            benchmark.pedantic(lambda: None)
            cell.measurement.outcome = "ok"

        build_ahead(self.run, self.watch)
        if not self.timed:
            return drive_cell(self._new_cell(), check)
        self.run.read_machine()
        measured = time_cell(self._new_cell(), self._sampling, self.watch)
        if measured.is_ok:
            show_rounds(benchmark, measured.timed, self.clock)
        return measured

    def _ending(self, measured: Measurement, record: Record[Timed] | None) -> Ending:
        if record is not None:
            return self._recorded(record)
        if measured.outcome == "ok":
            return Ending("checked", measured.reason)
        return self._stopped(measured.outcome, measured.stage, measured.reason)

    def _recorded(self, record: Record[Timed]) -> Ending:
        if record.body.is_ok:
            return Ending("ok", self._result(record))
        return self._stopped(record.body.outcome, record.body.stage, record.body.reason)

    def _stopped(self, outcome: str, stage: str, reason: str) -> Ending:
        """The ending of a cell that is not ok.

        Few machines have every runtime. A test of one that is not there is skipped, unless the user requires it.
        """
        why = f"{outcome} in stage {stage!r}: {reason}"
        if outcome == "unavailable" and self._backend not in self.run.selection.required:
            return Ending(outcome, reason, skipped=why)
        return Ending(outcome, reason, failure=why)


def build_ahead(run: BenchRun, watch: Watch) -> None:
    """Build what the items of the run are going to need, before the first that does: as work of its own."""
    with watch.building() as told:
        run.build_ahead(told)


def drive_cell(cell: Cell, use: Callable[[Cell], None]) -> Measurement:
    """Build and compare a cell, ``use`` it, and end its processes; its measurement says so where any of it failed."""
    try:
        cell.prepare()
        use(cell)
    except CellStopped as stopped:
        cell.stop(stopped)
    finally:
        cell.close()
    return cell.measurement


def time_cell(cell: Cell, sampling: Sampling, watch: Watch) -> Measurement:
    """Build, compare and time a cell, for as long as ``sampling`` says."""

    def use(cell: Cell) -> None:
        cell.measurement.aim = sampling.aim
        cell.sample(sampling.is_enough, watch.rounds)
        cell.end()

    return drive_cell(cell, use)


def show_rounds(benchmark: Any, rounds: Rounds, clock: ReportedClock) -> None:
    """Show pytest-benchmark the candidate's rounds, in the order in which they were measured."""
    seconds = iter(rounds.candidate_s)

    def one_round() -> None:
        clock.seconds += next(seconds)

    benchmark.pedantic(one_round, rounds=len(rounds))
