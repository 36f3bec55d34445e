"""What a run's machine gave: how fast a cell ran beside it, and how it compares with what earlier runs got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inception_bench.measure.ceilings import SAME_STATE, Ceilings, NoCeilings, State
from inception_bench.records.journal import by_run
from inception_bench.records.kinds import CEILINGS, CELL, NO_CEILINGS, PAIR, Kind, thing_key
from inception_bench.records.record import Record, Run, differing
from inception_bench.records.statistics import median

# By these facts two runs were on machines of one name. A new kernel, or some kilobytes more of memory, make no other.
MACHINE_NAME = ("cpu", "architecture", "logical_cores", "usable_cores")


@dataclass(frozen=True)
class Machine:
    """What a run's machine gave: its readings in order, and for each cell and pair, by its key, those around it.

    ``not_read`` says why it was not read, or from some moment on no more; None where every reading succeeded.
    """

    readings: tuple[Ceilings, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)
    not_read: NoCeilings | None = None

    @classmethod
    def of_run(cls, records: Iterable[Record[Any]]) -> Machine:
        """From the records of one run, in the order in which they were written.

        A cell that was taken over from an earlier run was measured in another state, which nobody read here.
        """
        readings: list[Ceilings] = []
        last: Ceilings | None = None
        waiting: list[tuple[str, Ceilings | None]] = []
        states: dict[str, State] = {}
        not_read: NoCeilings | None = None
        for record in records:
            if record.kind == CEILINGS.name:
                last = record.body
                readings.append(record.body)
                states |= {key: State(before, last) for key, before in waiting}
                waiting = []
            elif record.kind == NO_CEILINGS.name:
                last, not_read = None, record.body  # what follows is not beside the last reading
            elif record.kind in (CELL.name, PAIR.name) and record.resumed_from is None:
                waiting.append((thing_key(record), last))
        states |= {key: State(before, None) for key, before in waiting}
        return cls(tuple(readings), states, not_read)

    def state(self, timed: Record[Any]) -> State:
        """The readings around a cell or a pair; the last ones where it was measured twice."""
        return self.states.get(thing_key(timed), State(None, None))

    @property
    def pace(self) -> float | None:
        """The median of all readings in binary32, in multiply-accumulates a second; None where there are none."""
        return median([reading.fp32_macs_s for reading in self.readings]) if self.readings else None

    @property
    def threads(self) -> int | None:
        """On how many threads it was read; None where it was not."""
        return self.readings[-1].threads if self.readings else None

    def changed(self, kind: Kind[Any]) -> int:
        """During how many things of a kind, cells or pairs, the machine's pace changed by over a tenth."""
        return sum(state.has_changed for key, state in self.states.items() if key.startswith(f"{kind.name} "))


NOT_READ = Machine()


def roofline_fraction(cell: Record[Any], p50_s: float, machine: Machine) -> float | None:
    """Multiply-accumulates a second of an ok cell over its ceiling; None where either is unknown."""
    case, macs = cell.own_case, cell.macs
    ceiling = machine.state(cell).ceiling(machine.readings, case.runtime.precision, case.runtime.threads)
    if ceiling is None or macs is None:
        return None
    return macs * case.runtime.batch_size / p50_s / ceiling


def paces_apart(before: Machine, after: Machine) -> float | None:
    """What share of the earlier machine's pace the later one gave; None where either was not read on as many threads.

    A machine that is read on one thread gives less than on two: that is no change of the machine.
    """
    if before.pace is None or after.pace is None or before.threads != after.threads:
        return None
    return after.pace / before.pace


@dataclass(frozen=True)
class Paces:
    """What the machine gave around a cell in two runs, in binary32 multiply-accumulates a second."""

    before: float
    after: float

    @property
    def share(self) -> float:
        return self.after / self.before

    @property
    def has_moved(self) -> bool:
        return abs(self.share - 1) > SAME_STATE


def paces_around(cell: Record[Any], before: Machine, after: Machine) -> Paces | None:
    """The paces around a cell in two runs; None where either was not read, or the cell was taken over."""
    threads = cell.own_case.runtime.threads
    old, new = (machine.state(cell).pace("fp32", threads) for machine in (before, after))
    return None if old is None or new is None else Paces(old, new)


@dataclass(frozen=True)
class EarlierPace:
    """What share of the ``pace`` that an earlier ``run`` of a machine got (MACs a second) the present one got."""

    run: Run
    pace: float
    share: float


def earlier_pace(own: Machine, run: Run, others: Iterable[Record[Any]]) -> EarlierPace | None:
    """``run``'s machine beside the same before: in the newest earlier run among ``others`` that read it.

    ``own`` is what it gave in ``run``. None where no earlier run read a machine of that name on as many threads.
    """
    readings = [record for record in others if record.kind == CEILINGS.name]
    earlier = [
        records
        for run_id, records in by_run(readings).items()
        if run_id != run.run_id and records[0].run.started <= run.started and _is_same_name(records[0].run, run)
    ]
    for records in sorted(earlier, key=lambda records: records[0].run.started, reverse=True):
        machine = Machine.of_run(records)
        share = paces_apart(machine, own)
        if machine.pace is not None and share is not None:
            return EarlierPace(records[0].run, machine.pace, share)
    return None


def _is_same_name(one: Run, other: Run) -> bool:
    return not differing(one.environment, other.environment, MACHINE_NAME)


def spread(values: Sequence[float]) -> str:
    """``58.9 to 61.5``."""
    return f"{min(values):.3g} to {max(values):.3g}"
