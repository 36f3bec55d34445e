"""One run: the place where cells, records and results folder meet. The plug-in drives it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from inception_bench.claims.outcome import Outcome
from inception_bench.errors import UsageError
from inception_bench.machine.environment import Activity
from inception_bench.machine.processor import L2_STATES
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.ahead import Ahead, Wanted
from inception_bench.measure.ceilings import Ceilings, Gauge, NoCeilings
from inception_bench.measure.cell import Cell
from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.measure.pairing import PAIR_ROUNDS
from inception_bench.measure.partners import Partners
from inception_bench.measure.selection import Selection
from inception_bench.measure.stages import CellSettings
from inception_bench.measure.timed_step import TimedStep
from inception_bench.measure.workshop import Workshop
from inception_bench.models.counted import Counted
from inception_bench.plugin.timing import TimingOptions
from inception_bench.records.claim_body import ClaimBody
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import CEILINGS, CELL, CLAIM, COMPLEXITY, NO_CEILINGS, PAIR, STEP, TRAINING
from inception_bench.records.record import Body, Record, Run
from inception_bench.records.resume import Earlier, taken_over
from inception_bench.records.sampling import Sampling
from inception_bench.records.trainings import seen_from
from inception_bench.report.board import Board
from inception_bench.report.claims import outcomes_of
from inception_bench.report.claims_text import summary
from inception_bench.report.files import prepare_folder, write_environment, write_results
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import Profile
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import ArtifactCache, default_root
from inception_bench.store.housekeeping import Limit, Pruned, end_run, read_limit
from inception_bench.train.trained import Trained

B = TypeVar("B", bound=Body)
# A reading of the machine this many seconds ago still says what it gives.
FRESH_S = 2.0


def gauge_of(selection: Selection) -> Gauge | None:
    """What reads the machine between cells; None on a GPU, whose ceilings nothing reads yet, and without cells."""
    if selection.device != "cpu" or not selection.cases:
        return None
    threads = {case.runtime.threads for case in selection.cases}
    return Gauge(max(threads), sorted({case.runtime.precision for case in selection.cases}))


def read_earlier(records: Sequence[Record[Any]], run: Run, profile: Profile, timing: TimingOptions) -> Earlier:
    """Those of ``records`` that hold for a run of a profile; on a GPU only those with the same state of the L2."""

    def as_timed(record: Record[Any]) -> bool:
        return not isinstance(record.body, Measurement) or record.body.l2 in (None, L2_STATES[timing.l2])

    def rounds(record: Record[Any]) -> int:
        return PAIR_ROUNDS if record.kind == PAIR.name else profile.rounds

    return Earlier.among([record for record in records if as_timed(record)], run.environment, rounds)


@dataclass
class BenchRun:
    """A run that is under way. Everything it writes goes to ``folder``; ``kept`` are its records as they lie there.

    ``others`` are records of other runs, beside those of the folder, that its board is held against.
    """

    folder: Path
    selection: Selection
    timing: TimingOptions
    workshop: Workshop
    run: Run
    journal: Journal
    activity: Activity
    earlier: Earlier
    cache_limit: Limit
    kept: list[Record[Any]] = field(default_factory=list, init=False)
    others: Sequence[Record[Any]] = field(default=(), init=False)
    pairs: dict[str, Record[PairMeasurement]] = field(default_factory=dict, init=False)
    accuracies: dict[str, Counts] = field(default_factory=dict, init=False)
    partners: Partners | None = field(default=None, init=False)
    gauge: Gauge | None = field(default=None, init=False)
    reading: Ceilings | None = field(default=None, init=False)  # what the machine gave when it was last read
    item_s: Callable[[], float | None] = field(default_factory=lambda: lambda: None, init=False)  # of the one under way
    wanted: Wanted = field(default=Wanted(), init=False)
    _read_at: float = field(default=-math.inf, init=False)
    _has_ended: bool = field(default=False, init=False)
    _board: tuple[int, Board] | None = field(default=None, init=False)  # of how many records, so that it is made once

    @classmethod
    def open(cls, folder: Path, selection: Selection, timing: TimingOptions, *, timed: bool = True) -> BenchRun:
        """Begin a run; one that is not ``timed`` writes nothing to ``folder``.

        Raises UsageError where the results or the cache cannot be written, or the cache's limit is no size.
        """
        limits, cache_limit = timing.limits, read_limit()
        cache = default_root()
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"cache folder {cache} cannot be made ({error.strerror}); name another with INCEPTION_BENCH_CACHE"
            ) from None
        run = Run.begin(selection.profile.name)
        workshop = Workshop(
            ArtifactCache(cache),
            limits.build,
            selection.pythons,
            limits.train,
        )
        journal = Journal(folder / FILE)
        earlier = Earlier()
        if selection.resume and journal.path.exists():
            earlier = read_earlier(journal.read()[0], run, selection.profile, timing)
        self = cls(folder, selection, timing, workshop, run, journal, Activity.now(), earlier, cache_limit)
        if selection.profile.shares_partner:
            self.partners = Partners()
        if timed:
            prepare_folder(folder)
            self.write_environment()
            self.gauge = gauge_of(selection)
        return self

    def sampling(self, runtime: Runtime, rounds: int | None = None) -> Sampling:
        """When a cell on a runtime has been timed enough; with ``rounds`` it takes as many at least."""
        return Sampling.of(self.selection.profile, runtime, rounds)

    def settings(self, sampling: Sampling) -> CellSettings:
        """How a cell of this run is timed."""
        profile = self.selection.profile
        return CellSettings(
            sampling.rounds_a_pair,
            sampling.seconds_a_pair,
            self.timing.limits,
            self.run.run_id,
            self.timing.l2,
            profile.window_s,
        )

    def cell(
        self, case: Case, watch: Callable[[str], None], partner: Case | None = None, *, rounds: int | None = None
    ) -> Cell:
        """A cell of this run, with as many ``rounds`` at least; ``watch`` is told each stage as it begins."""
        settings = self.settings(self.sampling(case.runtime, rounds))
        return Cell(case, self.workshop, settings, watch, partner=partner, partners=self.partners)

    def build_ahead(self, watch: Callable[[int, int], None]) -> None:
        """Build what this run's items are going to need (``wanted``), before the first of them that does; once.

        ``watch`` is told how many networks are done, of how many.
        """
        wanted, self.wanted = self.wanted, Wanted()
        Ahead(self.workshop).build(wanted, watch)

    def read_machine(self) -> None:
        """Write what the machine gives now, unless that was read a moment ago. Nothing is timed meanwhile.

        Where it cannot be read the run goes on without: why is written once.
        """
        if self.gauge is None or time.monotonic() - self._read_at < FRESH_S:
            return
        reading = self.gauge.read()
        self._read_at = time.monotonic()
        if isinstance(reading, NoCeilings):
            self._append(NO_CEILINGS.record(self.run, None, reading))
        elif reading is not None:
            self.reading = reading
            self._append(CEILINGS.record(self.run, None, reading))

    def measured_before(self, case: Case) -> Record[Measurement] | None:
        """The record of an earlier run that still holds for ``case``, where resuming was asked for."""
        return self.earlier.cell(case)

    def timed_before(self, pair: Pair) -> Record[PairMeasurement] | None:
        """The record of a pair: this run's, or an earlier run's that still holds, taken over."""
        if pair.id not in self.pairs:
            earlier = self.earlier.pair(pair)
            if earlier is None:
                return None
            self.pairs[pair.id] = self.take_over(earlier)
        return self.pairs[pair.id]

    def trained_before(self, claim_id: str) -> Record[ClaimBody] | None:
        """The record of an earlier run's training proxy that still holds, where resuming was asked for."""
        return self.earlier.claim(claim_id)

    def take_over(self, record: Record[B]) -> Record[B]:
        """Write an earlier record as this run's own, saying where it is from."""
        return self._append(taken_over(record, self.run))

    def keep_cell(self, case: Case, measurement: Measurement) -> Record[Measurement]:
        """Write a cell's record to the disk, and after an ok one what the machine then gives."""
        record = self._append(CELL.record(self.run, case, measurement), self.item_s())
        if measurement.is_ok:
            self.read_machine()
        return record

    def keep_complexity(self, case: Case, counted: Counted) -> Record[Counted]:
        """Write what the counters gave to the disk."""
        return self._append(COMPLEXITY.record(self.run, case, counted), self.item_s())

    def keep_training(self, case: Case, trained: Trained) -> Record[Trained]:
        """Write the result of a training to the disk."""
        return self._append(TRAINING.record(self.run, case, seen_from(self.folder, trained)), self.item_s())

    def keep_step(self, case: Case, step: TimedStep) -> Record[TimedStep]:
        """Write the rounds of a training step to the disk."""
        return self._append(STEP.record(self.run, case, step), self.item_s())

    def keep_pair(self, pair: Pair, measurement: Measurement, *, is_item: bool = False) -> Record[PairMeasurement]:
        """Write a pair's record as ``keep_cell`` does a cell's; within this run it is not measured again.

        ``is_item`` tells whether the item under way is the pair itself, and not a claim that needs it.
        """
        record = PAIR.record(self.run, pair.new, PairMeasurement.of(pair, measurement))
        self.pairs[pair.id] = self._append(record, self.item_s() if is_item else None)
        if measurement.is_ok:
            self.read_machine()
        return self.pairs[pair.id]

    def keep_claim(self, outcome: Outcome) -> Record[ClaimBody]:
        """Write what was measured for a claim to the disk."""
        return self._append(CLAIM.record(self.run, None, outcome.body), self.item_s())

    def write_environment(self) -> None:
        """Write ``environment.json``: this run, this machine, and what the machine did so far."""
        write_environment(self.folder, {**self.run.to_json(), "activity": Activity.now().since(self.activity)})

    def write_board(self) -> Board | None:
        """Write the boards of what was measured; None where nothing was."""
        if not self.kept:
            return None
        if self._board is None or self._board[0] != len(self.kept):
            self.write_environment()
            others = [*self.journal.read()[0], *self.others]
            self._board = len(self.kept), write_results(self.folder, self.kept, others)
        return self._board[1]

    def claims_summary(self) -> str:
        """How many claims ended with each verdict; empty where this run had none."""
        outcomes = outcomes_of(self.kept)
        return summary(outcomes) if outcomes else ""

    def end(self) -> Pruned | None:
        """End the processes, and bring the cache under its limit: what that removed, None where nothing.

        Once: pytest may leave a session by its summary or without one.
        """
        if self._has_ended:
            return None
        self._has_ended = True
        if self.gauge is not None:
            self.gauge.close()
        if self.partners is not None:
            self.partners.close()
        self.workshop.close()
        return end_run(self.cache_limit)

    def _append(self, record: Record[B], took_s: float | None = None) -> Record[B]:
        """Write a record; what a reader finds on the disk is what the run's own boards are made of."""
        self.kept.append(self.journal.append(record if took_s is None else replace(record, took_s=round(took_s, 3))))
        return self.kept[-1]
