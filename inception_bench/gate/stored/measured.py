"""The things that a stored run measured, and how they are named where one of two runs lacks them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inception_bench.records.fact import Fact
from inception_bench.records.kinds import CELL, KINDS, PAIR, STEP, measured_things, thing_key
from inception_bench.records.record import Record

# Of these times are kept and not compared.
UNTIMED, UNTIMED_WHY = (PAIR, STEP), "no round of eager stands beside them"


def newest_of_each(records: Iterable[Record[Any]]) -> dict[str, Record[Any]]:
    """The last record of each thing that was measured, by a key that is the same in every run."""
    return {thing_key(record): record for record in measured_things(records)}


def name_of(record: Record[Any]) -> str:
    """A cell's own name; of anything else it is said what it is."""
    kind = KINDS[record.kind]
    return kind.label(record) if kind is CELL else f"{kind.noun} {kind.label(record)}"


def list_absent(records: Iterable[Record[Any]], where: str) -> list[str]:
    """Which things are not in a run: a sentence for each cell, then one for each other kind of them."""
    labels: dict[str, list[str]] = {}  # by the name of the kind
    for record in records:
        labels.setdefault(record.kind, []).append(KINDS[record.kind].label(record))
    cells = [f"{label}: not in {where}" for label in labels.pop(CELL.name, [])]
    return cells + [f"{KINDS[name].counted(len(own))} not in {where}: {', '.join(own)}" for name, own in labels.items()]


def facts_of(before: Record[Any], after: Record[Any]) -> tuple[Fact, ...]:
    """Every exact fact in which two records of one thing differ."""
    compare = KINDS[after.kind].facts
    return () if compare is None else tuple(compare(before, after))
