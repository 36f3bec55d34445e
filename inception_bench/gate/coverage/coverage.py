"""How often does the 95 % interval of a speed-up hold the truth? Cells whose speed-up is known, timed as in a run.

Each trial is a cell beside itself, or beside itself slowed down by a known share; it is on the disk before the next
begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic

from inception_bench.errors import OptionError, UsageError
from inception_bench.gate.coverage.stratum import Stratum, strata
from inception_bench.gate.power.neighbour import neighbour
from inception_bench.gate.trials import trials_to_go_on
from inception_bench.measure.cell import Cell
from inception_bench.measure.stages import CellSettings, CellStopped
from inception_bench.measure.workshop import Workshop
from inception_bench.records.coverage_body import CoverageBody
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import COVERAGE
from inception_bench.records.record import Record, Run
from inception_bench.records.resume import MACHINE
from inception_bench.records.sampling import Sampling
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Profile
from inception_bench.store.cache import ArtifactCache, default_root


@dataclass(frozen=True)
class CoverageOrder:
    """Which cells to try, for how many minutes, in which folder; timed for as long as ``profile`` says.

    ``cases`` hold each network once, on any runtime: the strata say on which ``backends`` and with how many
    ``threads``.
    """

    cases: tuple[Case, ...]
    backends: tuple[str, ...]
    threads: tuple[int, ...]
    profile: Profile
    folder: Path
    minutes: float = 10.0


@dataclass(frozen=True)
class Trial:
    """One cell to time. ``seed`` draws its orders and the bursts of its neighbour."""

    stratum: Stratum
    case: Case
    seed: str


def run_coverage(order: CoverageOrder, watch: Callable[[str], None]) -> list[Record[CoverageBody]]:
    """Add trials to those in the folder until all are done or the minutes are over, but at least one; all records.

    Raises UsageError where a cell cannot be timed, or the folder's trials are of another machine.
    """
    if not order.minutes > 0:
        raise OptionError(lambda named: f"{named('minutes')} {order.minutes:g}: give a time above 0")
    order.folder.mkdir(parents=True, exist_ok=True)
    run, journal = Run.begin("coverage"), Journal(order.folder / FILE)
    records = trials_to_go_on(order.folder, COVERAGE, run, MACHINE)
    until = monotonic() + 60 * order.minutes
    with closing(Workshop(ArtifactCache(default_root()), order.profile.limits.build)) as workshop:
        for number in count(len(records)):
            trial = _next(order, records, f"{run.run_id} {number}")
            if trial is None or (records and records[-1].run.run_id == run.run_id and monotonic() > until):
                return records
            records.append(COVERAGE.record(run, trial.case, _timed(trial, workshop, order.profile)))
            journal.append(records[-1])
            watch(f"{len(records)}: {trial.stratum.name}, {trial.case.id}, {len(records[-1].body.pairs)} pairs")
    return records


def _next(order: CoverageOrder, records: Sequence[Record[CoverageBody]], seed: str) -> Trial | None:
    """A trial of the stratum with the smallest share done; its networks, backends and threads take turns."""
    known = strata(order.backends, order.threads)
    done = Counter(record.body.stratum for record in records)
    stratum = min(known, key=lambda each: done[each.name] / each.trials)
    if done[stratum.name] >= stratum.trials:
        return None
    # Each turn takes the next network, and after all of them the next backend, then the next number of threads.
    turn, networks = done[stratum.name], len(order.cases)
    backends = order.backends if stratum.backend is None else (stratum.backend,)
    threads = order.threads if stratum.threads is None else (stratum.threads,)
    backend = backends[(turn // networks) % len(backends)]
    each_threads = threads[(turn // (networks * len(backends))) % len(threads)]
    case = order.cases[turn % networks].with_runtime(backend=backend, threads=each_threads)
    return Trial(stratum, case, seed)


def _timed(trial: Trial, workshop: Workshop, profile: Profile) -> CoverageBody:
    """Time a cell beside itself, in the same way as a run of ``profile`` does."""
    case, stratum = trial.case, trial.stratum
    sampling = Sampling.of(profile, case.runtime)
    settings = CellSettings(
        sampling.rounds_a_pair,
        sampling.seconds_a_pair,
        profile.limits,
        trial.seed,
        busy_share=stratum.busy_share,
    )
    cell = Cell(case, workshop, settings, lambda stage: None, partner=case)
    try:
        cell.prepare()  # before the neighbour: what is built is not timed
        cell.measurement.aim = sampling.aim
        with neighbour(trial.seed) if stratum.loaded else nullcontext():
            cell.sample(sampling.is_enough)
        cell.end()
    except CellStopped as stopped:
        raise UsageError(f"{case.id} cannot be tried: {stopped.outcome} in {stopped.stage}: {stopped}") from None
    finally:
        cell.close()
    return CoverageBody.of(stratum.name, stratum.truth, cell.measurement)
