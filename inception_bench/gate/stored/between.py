"""How far a cell's speed-up moved between runs of one machine: what the interval within a run does not hold.

Runs are of one machine where the facts are equal by which a gate calls times comparable: machine, versions and thread
variables. The sources are not among them, as a baseline is as a rule of an older revision; how many sources there were
is told instead. (Resuming asks for equal sources too: it takes times over, here they are only held side by side.)

A cell counts in a run that measured it: ok, and not taken over from another run. Eager's own rows are left out: their
speed-up is 1 in every run, whatever the machine does. How far a speed-up moved is its largest value over its smallest,
less 1; the interval's upper over its lower end, less 1, is the same measure of what a run says of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inception_bench.gate.stored.timing import CONFIGURATION, MACHINE
from inception_bench.measure.measurement import Measurement
from inception_bench.records.journal import by_run
from inception_bench.records.kinds import CELL
from inception_bench.records.record import Record, Run, differing
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import Interval, median


@dataclass(frozen=True)
class CellBetween:
    """One cell in several runs: its speed-up in each, by the run's id, with the interval within that run."""

    label: str
    speedups: Mapping[str, Interval]

    @property
    def lowest(self) -> float:
        return min(each.value for each in self.speedups.values())

    @property
    def highest(self) -> float:
        return max(each.value for each in self.speedups.values())

    @property
    def moved(self) -> float:
        """By what share the largest speed-up is above the smallest."""
        return self.highest / self.lowest - 1

    @property
    def within(self) -> float:
        """By what share an interval's upper end is above its lower one: the median of the runs."""
        return median([each.high / each.low - 1 for each in self.speedups.values()])


@dataclass(frozen=True)
class Between:
    """The cells that two or more runs of one machine measured; none where there was one run.

    ``runs`` are those runs, the oldest first. ``sources`` is of how many revisions of the package they were.
    """

    cells: tuple[CellBetween, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def sources(self) -> int:
        return len({run.environment.get("source_hash") for run in self.runs})

    @property
    def moved(self) -> float:
        """The median over the cells. There must be one."""
        return median([cell.moved for cell in self.cells])

    @property
    def within(self) -> float:
        """The median over the cells. There must be one."""
        return median([cell.within for cell in self.cells])


ONE_RUN = Between()


def between_runs(own: Sequence[Record[Any]], others: Iterable[Record[Any]]) -> Between:
    """How far the cells of one run (``own``) moved between all runs of its machine, among ``others`` and its own."""
    if not own:
        return ONE_RUN
    run = own[-1].run
    runs = {run_id: each for run_id, each in by_run(others).items() if run_id != run.run_id}
    comparable = [own, *(each for each in runs.values() if _is_comparable(each[-1].run, run))]
    if len(comparable) == 1:
        return ONE_RUN
    measured = {each[-1].run.run_id: dict(_measured(each)) for each in comparable}
    cells = []
    for record in _timed(own):
        found = {run_id: things[_thing(record)] for run_id, things in measured.items() if _thing(record) in things}
        if len(found) > 1:
            speedups = {run_id: speedup(each) for run_id, each in found.items()}
            cells.append(CellBetween(CELL.label(record), speedups))
    used = {run_id for cell in cells for run_id in cell.speedups}
    of_used = [each[-1].run for each in comparable if each[-1].run.run_id in used]
    return Between(tuple(cells), tuple(sorted(of_used, key=lambda each: each.started)))


def _is_comparable(one: Run, other: Run) -> bool:
    return not differing(one.environment, other.environment, (*MACHINE, *CONFIGURATION))


def _timed(records: Iterable[Record[Any]]) -> list[Record[Measurement]]:
    """The last record of each cell that has a speed-up of its own."""
    newest = CELL.newest(records).values()
    return [record for record in newest if record.body.is_ok and record.own_case != record.own_case.reference()]


def _measured(records: Iterable[Record[Any]]) -> Iterator[tuple[tuple[Any, ...], Record[Measurement]]]:
    """Those that this run measured itself."""
    for record in _timed(records):
        if record.resumed_from is None:
            yield _thing(record), record


def _thing(record: Record[Measurement]) -> tuple[Any, ...]:
    """What is the same in every run that timed the same thing: the case, its cost, and a GPU's second-level cache."""
    return CELL.key(record), record.macs, record.body.l2
