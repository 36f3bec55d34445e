"""A whole duet: opens both sides and measures cell by cell, each on the disk before the next begins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from inception_bench.errors import OptionError, UsageError
from inception_bench.gate.duet.duet import Duet, DuetSettings
from inception_bench.gate.duet.result import DuetResult, judge_duet
from inception_bench.gate.duet.revision import checked_out
from inception_bench.gate.duet.side import Side, open_side
from inception_bench.records.duet_body import DuetBody
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import DUET
from inception_bench.records.record import Record, Run
from inception_bench.spec.case import Case


@dataclass(frozen=True)
class Installed:
    """What a side is: an interpreter or environment's folder (None: the running one), and a git revision (or None)."""

    python: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class DuetOrder:
    """What to compare, and how. ``budget_s`` is for each cell; ``min_effect`` and ``busy_share`` are shares, 0 to 1."""

    cases: tuple[Case, ...]
    a: Installed
    b: Installed
    folder: Path
    budget_s: float = 60.0
    min_effect: float = 0.01
    busy_share: float = 0.0


def run_duet(order: DuetOrder, watch: Callable[[str], None]) -> DuetResult:
    """Measure and judge; ``watch`` gets a line for each step. Raises UsageError where a side cannot be opened."""
    if not (order.budget_s > 0 and 0 < order.min_effect < 1):
        raise OptionError(
            lambda named: (
                f"{named('budget')} {order.budget_s:g} {named('min_effect')} {order.min_effect:g}: give seconds "
                "above 0, and a share between 0 and 1, such as 0.01"
            )
        )
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"folder {order.folder} cannot be made ({error.strerror}); give another with -o") from None
    with ExitStack() as stack:
        sides = {"a": _open("a", order.a, stack), "b": _open("b", order.b, stack)}
        run = Run.begin("duet")
        settings = DuetSettings(order.budget_s, order.min_effect, len(order.cases), run.run_id, order.busy_share)
        journal = Journal(order.folder / FILE)
        records = []
        for number, case in enumerate(order.cases, 1):
            watch(f"[{number}/{len(order.cases)}] {case.id}")
            records.append(measure_cell(Duet(case, sides, settings, watch), run))
            journal.append(records[-1])
        return judge_duet(records)


def measure_cell(duet: Duet, run: Run) -> Record[DuetBody]:
    """Measure one cell. The record has the params and MACs of side a; 0 where side a did not get as far as counting."""
    body = duet.run()
    costs = body.sides["a"]
    return Record(DUET.name, run, duet.case, costs.params or 0, costs.macs or 0, body)


def _open(name: str, installed: Installed, stack: ExitStack) -> Side:
    tree = None if installed.revision is None else stack.enter_context(checked_out(installed.revision))
    side = open_side(name, installed.python, tree, installed.revision)
    stack.callback(side.close)
    return side
