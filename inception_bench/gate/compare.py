"""Two stored runs, cell by cell: what changed, what is exact and what is timed apart. Recomputed from raw rounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inception_bench.gate.fact import REGRESSION, Fact, exact_facts
from inception_bench.gate.stored_run import StoredRun
from inception_bench.gate.timing import SLOWER, Spread, Timing, aa_spread, compare_times, not_comparable
from inception_bench.records.record import Record
from inception_bench.spec.case import Case


@dataclass(frozen=True)
class CellComparison:
    """One cell of both runs. ``timing`` is None where times are not compared at all."""

    case: Case
    outcome: str
    facts: tuple[Fact, ...]
    timing: Timing | None = None

    @property
    def regressions(self) -> list[str]:
        """A sentence for each thing that got worse."""
        found = [fact.text for fact in self.facts if fact.kind == REGRESSION]
        if self.timing is not None and self.timing.verdict == SLOWER:
            change, allowed = self.timing.change or 0.0, self.timing.allowed or 0.0
            found.append(f"slower against eager by {change:.1%}; chance allows {allowed:.1%}")
        return found


@dataclass(frozen=True)
class Comparison:
    """What changed from ``before`` to ``after``. ``missing`` were only in the first, ``new`` only in the second.

    ``times_reason`` says why times were not compared; empty where they were.
    """

    before: StoredRun
    after: StoredRun
    cells: tuple[CellComparison, ...]
    missing: tuple[Case, ...]
    new: tuple[Case, ...]
    spread: Spread
    times_reason: str

    @property
    def regressed(self) -> list[CellComparison]:
        return [cell for cell in self.cells if cell.regressions]

    @property
    def uncompared(self) -> list[str]:
        """A sentence for each cell that only one of the runs has."""
        return [f"{case.id}: not in {self.after.folder}" for case in self.missing] + [
            f"{case.id}: not in the baseline {self.before.folder}" for case in self.new
        ]

    @property
    def exit_code(self) -> int:
        """1 for a regression; 2 where some cell was not compared; else 0."""
        return 1 if self.regressed else 2 if self.missing or self.new else 0


def compare(before: StoredRun, after: StoredRun, *, subset: bool = False) -> Comparison:
    """Compare two runs. With ``subset`` the second was meant to hold only some of the cells: none is missing."""
    spread = aa_spread((before, after))
    reason = not_comparable(before, after, spread)
    shared = [key for key in after.cells if key in before.cells]
    timed = [key for key in shared if _both_ok(before.cells[key], after.cells[key])]
    judged = 0 if reason else len(timed)
    cells = tuple(_compare_cell(before.cells[key], after.cells[key], spread, judged) for key in shared)
    missing = () if subset else _cases(before.cells[key] for key in before.cells if key not in after.cells)
    new = _cases(after.cells[key] for key in after.cells if key not in before.cells)
    return Comparison(before, after, cells, missing, new, spread, reason)


def _compare_cell(before: Record, after: Record, spread: Spread, timed: int) -> CellComparison:
    timing = None
    if timed and _both_ok(before, after):
        timing = compare_times(before, after, spread, timed)
    return CellComparison(Case.from_json(after.case), after.body["outcome"], exact_facts(before, after), timing)


def _both_ok(before: Record, after: Record) -> bool:
    return before.body["outcome"] == after.body["outcome"] == "ok"


def _cases(records: Iterable[Record]) -> tuple[Case, ...]:
    return tuple(Case.from_json(record.case) for record in records)
