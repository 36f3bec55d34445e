"""A run as it lies in a results folder, checked for whether other runs can be compared with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_bench.errors import UsageError
from inception_bench.gate.stored.acceptance import Acceptance, read_acceptance, write_acceptance
from inception_bench.gate.stored.measured import newest_of_each
from inception_bench.measure.measurement import Measurement
from inception_bench.records.journal import FILE, Journal, newest_run
from inception_bench.records.kinds import CELL
from inception_bench.records.record import Record, Run
from inception_bench.records.roofline import NOT_READ, Machine


@dataclass(frozen=True)
class StoredRun:
    """The newest run of a folder: the last record of each thing that it measured, by its key.

    ``machine`` is what its machine gave while it ran. ``records`` are all of the folder, of older runs too.
    """

    folder: Path
    run: Run
    measured: Mapping[str, Record[Any]]
    acceptance: Acceptance | None = None
    machine: Machine = NOT_READ
    records: tuple[Record[Any], ...] = ()

    @property
    def cells(self) -> list[Record[Measurement]]:
        return CELL.among(self.measured.values())


def load_run(folder: Path) -> StoredRun:
    """The run in ``folder``. Raises UsageError, with the reason, where no other run can be compared with it."""
    if not (folder / FILE).exists():
        raise UsageError(f"{folder} holds no {FILE}; give a results folder, such as results/local")
    acceptance = read_acceptance(folder)
    records, complaints = Journal(folder / FILE).read()
    if complaints:
        more = f" (and {len(complaints) - 1} more such lines)" if len(complaints) > 1 else ""
        raise UsageError(f"{complaints[0]}{more}: a run that cannot be read whole is no baseline; measure it again")
    return as_stored(folder, records, acceptance)


def as_stored(folder: Path, records: Sequence[Record[Any]], acceptance: Acceptance | None = None) -> StoredRun:
    """The newest run among ``records``. Raises UsageError where it holds nothing that can be compared."""
    newest = newest_run(records) if records else []
    stored = _of_run(folder, newest, records, acceptance) if newest else None
    if stored is None or not stored.measured:
        raise UsageError(f"{folder / FILE} is empty of what can be compared; run pytest suites/ --benchmark-only first")
    cells = stored.cells
    if cells and not any(record.body.is_ok for record in cells):
        raise UsageError(f"{folder / FILE}: not one of its {len(cells)} cells is ok; there is nothing to compare with")
    return stored


def _of_run(
    folder: Path, own: Sequence[Record[Any]], records: Sequence[Record[Any]], acceptance: Acceptance | None
) -> StoredRun:
    machine = Machine.of_run(own)
    return StoredRun(folder, own[-1].run, newest_of_each(own), acceptance, machine, tuple(records))


def accept(folder: Path, why: str, to: Path | None = None, who: str | None = None) -> Acceptance:
    """Make the run in ``folder`` a baseline, in place or as a copy in ``to``. Raises UsageError."""
    records, complaints = Journal(folder / FILE).read()
    if complaints:
        raise UsageError(f"{complaints[0]}: a run that cannot be read whole is no baseline; measure it again")
    stored = as_stored(folder, records)
    return write_acceptance(folder, to or folder, stored.run.run_id, why, who)
