"""Compares two stored runs thing by thing, exact facts apart from times. Times are computed again from raw rounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inception_bench.gate.stored.measured import facts_of, list_absent, name_of
from inception_bench.gate.stored.stored_run import StoredRun
from inception_bench.gate.stored.timing import SLOWER, Spread, Timing, aa_spread, compare_times, not_comparable
from inception_bench.records.fact import REGRESSION, Fact
from inception_bench.records.kinds import CELL
from inception_bench.records.record import Record
from inception_bench.records.roofline import Paces, paces_around


@dataclass(frozen=True)
class Compared:
    """One cell, or another thing that both runs measured; ``record`` is the second run's.

    ``timing`` is None where times of this thing are not compared. ``paces`` are what the machine gave around a cell in
    both runs, None where that was not read.
    """

    record: Record[Any]
    facts: tuple[Fact, ...]
    timing: Timing | None = None
    paces: Paces | None = None

    @property
    def name(self) -> str:
        return name_of(self.record)

    @property
    def regressions(self) -> list[str]:
        """A sentence for each thing that got worse."""
        sentences = [fact.text for fact in self.facts if fact.rating == REGRESSION]
        if self.timing is not None and self.timing.verdict == SLOWER:
            change, allowed = self.timing.change or 0.0, self.timing.allowed or 0.0
            because = f"; {self.machine_moved}" if self.machine_moved else ""
            sentences.append(f"slower against eager by {change:.1%}; chance allows {allowed:.1%}{because}")
        return sentences

    @property
    def machine_moved(self) -> str:
        """What the machine has to do with it where a speed-up moved; empty where either stayed as it was.

        A speed-up moved where its intervals in the two runs do not meet. A machine that gives less slows an engine that
        computes more than one that waits for memory, so it moves their ratio.
        """
        if self.timing is None or self.paces is None or not (self.timing.has_moved and self.paces.has_moved):
            return ""
        before, after = self.paces.before / 1e9, self.paces.after / 1e9
        return f"the machine gave {self.paces.share:.0%} of what it gave then: {after:.3g} GMAC/s after {before:.3g}"


@dataclass(frozen=True)
class Comparison:
    """What changed from ``before`` to ``after``. Only ``before`` has the ``missing``, only ``after`` the ``new``.

    ``cells`` are compared in exact facts and times. ``others`` (pairs, trainings, training steps, counts and claims)
    are compared in exact facts alone. ``times_reason`` says why no times were compared; empty where they were.
    """

    before: StoredRun
    after: StoredRun
    cells: tuple[Compared, ...]
    others: tuple[Compared, ...]
    missing: tuple[Record[Any], ...]
    new: tuple[Record[Any], ...]
    spread: Spread
    times_reason: str

    @property
    def regressed(self) -> list[Compared]:
        return [each for each in (*self.cells, *self.others) if each.regressions]

    @property
    def uncompared(self) -> list[str]:
        """A sentence for each cell that only one of the runs has, and for each kind of other things."""
        return [
            *list_absent(self.missing, str(self.after.folder)),
            *list_absent(self.new, f"the baseline {self.before.folder}"),
        ]

    @property
    def exit_code(self) -> int:
        """1 for a regression; 2 where something was not compared; else 0."""
        return 1 if self.regressed else 2 if self.missing or self.new else 0


def compare(before: StoredRun, after: StoredRun, *, subset: bool = False) -> Comparison:
    """Compare two runs. With ``subset`` the second was meant to hold only some of the first: nothing is missing."""
    spread = aa_spread((before, after))
    reason = not_comparable(before, after, spread)
    old, new = before.measured, after.measured
    shared = [(old[key], record) for key, record in new.items() if key in old]
    cells = [both for both in shared if both[1].kind == CELL.name]
    timed = 0 if reason else sum(_both_ok(*both) for both in cells)
    return Comparison(
        before,
        after,
        tuple(
            replace(_compare_cell(*both, spread, timed), paces=paces_around(both[1], before.machine, after.machine))
            for both in cells
        ),
        tuple(Compared(both[1], facts_of(*both)) for both in shared if both[1].kind != CELL.name),
        () if subset else _only_in(old, new),
        _only_in(new, old),
        spread,
        reason,
    )


def _compare_cell(before: Record[Any], after: Record[Any], spread: Spread, timed: int) -> Compared:
    timing = None
    if timed and _both_ok(before, after):
        timing = compare_times(before, after, spread, timed)
    return Compared(after, facts_of(before, after), timing)


def _both_ok(before: Record[Any], after: Record[Any]) -> bool:
    return all(record.body.is_ok for record in (before, after))


def _only_in(one: Mapping[str, Record[Any]], other: Collection[str]) -> tuple[Record[Any], ...]:
    return tuple(record for key, record in one.items() if key not in other)
