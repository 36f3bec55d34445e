"""Rows made from other rows, so that what definitions and networks have in common is written once."""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.notation import Fork, Lrn, Step, format_branch
from inception_bench.models.printed import NOTHING_PRINTED
from inception_bench.models.table import Row


def rewritten(rows: dict[str, Row], old: str, new: str) -> dict[str, Row]:
    """The rows with ``old`` replaced by ``new`` wherever it stands in their notation."""
    return {
        name: row.with_branches(*(format_branch(branch).replace(old, new) for branch in row.branches))
        for name, row in rows.items()
    }


def unprinted(rows: dict[str, Row]) -> dict[str, Row]:
    """The rows without the figures that the paper prints beside them."""
    return {name: row.with_branches(*row.branches, printed=NOTHING_PRINTED) for name, row in rows.items()}


def repeat(stem: str, names: str, row: Row) -> dict[str, Row]:
    """The row under each of ``names``, words that ``stem`` precedes.

    The paper prints these rows as one line, so its figures stand at the last row.
    """
    *before, last = names.split()
    rows = unprinted({stem + name: row for name in before})
    return {**rows, stem + last: row}


def transposed(row: Row, at: int) -> Row:
    """The row with every kernel of branch ``at`` (from 0) transposed: 7x1 for 1x7."""
    branch = tuple(_turned(step) for step in row.branches[at])
    return row.with_branches(*row.branches[:at], branch, *row.branches[at + 1 :])


def _turned(step: Step) -> Step:
    if isinstance(step, Fork):
        return Fork(tuple(replace(sibling, kernel=sibling.kernel[::-1]) for sibling in step.siblings))
    return step if isinstance(step, Lrn) else replace(step, kernel=step.kernel[::-1])
