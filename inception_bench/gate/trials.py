"""Trials whose right answer is known, as a folder keeps them: those of the gate's power, and those of coverage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from inception_bench.errors import UsageError
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import Kind
from inception_bench.records.record import Body, Record, Run, differing

B = TypeVar("B", bound=Body)


def read_trials(folder: Path, kind: Kind[B]) -> list[Record[B]]:
    """The trials of a kind in a folder. Raises UsageError where it has no records."""
    return kind.among(Journal(folder / FILE).read()[0])


def trials_to_go_on(folder: Path, kind: Kind[B], run: Run, same: Sequence[str]) -> list[Record[B]]:
    """The trials to which ``run`` adds its own; none in a new folder.

    Raises UsageError where they differ from ``run`` in a fact of the environment that must be the ``same``.
    """
    records = read_trials(folder, kind) if (folder / FILE).exists() else []
    for record in records:
        names = differing(record.run.environment, run.environment, same)
        if names:
            raise UsageError(f"{folder} holds trials with another {names[0]}; give another folder with -o")
    return records
