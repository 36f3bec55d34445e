"""How fast a cell ran beside what its machine gave around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inception_bench.measure.ceilings import Ceilings, State
from inception_bench.records.kinds import CEILINGS, CELL
from inception_bench.records.record import Record
from inception_bench.records.statistics import median


@dataclass(frozen=True)
class Machine:
    """What a run's machine gave: its readings in order, and for each cell, by its key, those around it."""

    readings: tuple[Ceilings, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)

    @classmethod
    def of_run(cls, records: Iterable[Record[Any]]) -> Machine:
        """From the records of one run, in the order in which they were written.

        A cell that was taken over from an earlier run was measured in another state, which nobody read here.
        """
        readings: list[Ceilings] = []
        waiting: list[tuple[str, Ceilings | None]] = []
        states: dict[str, State] = {}
        for record in records:
            if record.kind == CEILINGS.name:
                readings.append(record.body)
                states |= {key: State(before, record.body) for key, before in waiting}
                waiting = []
            elif record.kind == CELL.name and record.resumed_from is None:
                waiting.append((CELL.key(record), readings[-1] if readings else None))
        states |= {key: State(before, None) for key, before in waiting}
        return cls(tuple(readings), states)

    def state(self, cell: Record[Any]) -> State:
        """The readings around a cell; the last ones where it was measured twice."""
        return self.states.get(CELL.key(cell), State(None, None))

    @property
    def pace(self) -> float | None:
        """The median of all readings in binary32, in multiply-accumulates a second; None where there are none."""
        return median([reading.fp32_macs_s for reading in self.readings]) if self.readings else None

    @property
    def changed_cells(self) -> int:
        """During how many cells the machine's pace changed by over a tenth."""
        return sum(state.has_changed for state in self.states.values())


NOT_READ = Machine()


def roofline_fraction(cell: Record[Any], p50_s: float, machine: Machine) -> float | None:
    """Multiply-accumulates a second of an ok cell over its ceiling; None where either is unknown."""
    case, macs = cell.own_case, cell.macs
    ceiling = machine.state(cell).ceiling(machine.readings, case.runtime.precision, case.runtime.threads)
    if ceiling is None or macs is None:
        return None
    return macs * case.runtime.batch_size / p50_s / ceiling


def paces_apart(before: Machine, after: Machine) -> float | None:
    """What share of the earlier machine's pace the later one gave; None where either was not read."""
    if before.pace is None or after.pace is None:
        return None
    return after.pace / before.pace


def spread(values: Sequence[float]) -> str:
    """``58.9 to 61.5``."""
    return f"{min(values):.3g} to {max(values):.3g}"
