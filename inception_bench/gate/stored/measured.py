"""The things that a stored run measured, and how they are named where one of two runs lacks them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inception_bench.records.fact import Fact
from inception_bench.records.kinds import CELL, KINDS, PAIR, STEP, measured_things, thing_key
from inception_bench.records.record import Record

# The kinds of records that keep times which are not compared, and why.
UNTIMED, UNTIMED_WHY = (PAIR, STEP), "no round of eager stands beside them"


def newest_of_each(records: Iterable[Record[Any]]) -> dict[str, Record[Any]]:
    """The last record of each thing that was measured, by a key that is the same in every run."""
    return {thing_key(record): record for record in measured_things(records)}


def name_of(record: Record[Any]) -> str:
    """The label of a cell; for any other thing the noun of its kind and its label."""
    kind = KINDS[record.kind]
    return kind.label(record) if kind is CELL else f"{kind.noun} {kind.label(record)}"


def list_absent(records: Iterable[Record[Any]], where: str) -> list[str]:
    """A sentence for each cell among ``records``, which ``where`` lacks; then one for each other kind of record."""
    labels: dict[str, list[str]] = {}  # by the name of the kind
    for record in records:
        labels.setdefault(record.kind, []).append(KINDS[record.kind].label(record))
    cells = [f"{label}: not in {where}" for label in labels.pop(CELL.name, [])]
    return cells + [f"{KINDS[name].counted(len(own))} not in {where}: {', '.join(own)}" for name, own in labels.items()]


def facts_of(before: Record[Any], after: Record[Any]) -> tuple[Fact, ...]:
    """Every exact fact in which two records of one thing differ."""
    compare = KINDS[after.kind].facts
    return () if compare is None else tuple(compare(before, after))
