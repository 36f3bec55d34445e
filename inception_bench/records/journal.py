"""``records.jsonl``: append-only, a record a line, on disk before the next cell begins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_bench.errors import UsageError
from inception_bench.records.kinds import read_record
from inception_bench.records.record import Record

FILE = "records.jsonl"
# The profile that runs of ``inception-bench train`` write into their records.
TRAIN = "train"


@dataclass(frozen=True)
class Journal:
    """The records file of a results folder."""

    path: Path

    def append(self, record: Record[Any]) -> Record[Any]:
        """Write one line, wait until the disk has it, and give the record as a reader will find it there.

        A line that a killed run left unfinished is closed first, so that it spoils nothing after it.
        """
        text = json.dumps(record.to_json(), allow_nan=False)
        line = text.encode() + b"\n"
        with self.path.open("a+b") as stream:
            if stream.seek(0, os.SEEK_END):
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    line = b"\n" + line
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        return read_record(json.loads(text))

    def read(self) -> tuple[list[Record[Any]], list[str]]:
        """All readable records, and a sentence for each line that is not. Raises UsageError without a file."""
        if not self.path.exists():
            raise UsageError(f"{self.path} does not exist; give a results folder that holds a {FILE}")
        records, complaints = [], []
        lines = self.path.read_bytes().splitlines()
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                records.append(read_record(json.loads(line)))
            except ValueError as error:
                where = "the last line, cut short" if number == len(lines) else "damaged or foreign"
                complaints.append(f"{self.path} line {number} skipped ({where}): {error}")
        return records, complaints


def newest_run(records: Sequence[Record[Any]]) -> list[Record[Any]]:
    """The records of the run that wrote last. Each training by the command is a run; all of them are taken together."""
    last = records[-1].run
    if last.profile == TRAIN:
        return [record for record in records if record.run.profile == TRAIN]
    return [record for record in records if record.run.run_id == last.run_id]


def by_run(records: Iterable[Record[Any]]) -> dict[str, list[Record[Any]]]:
    """The records of each run, by its id, runs in the order in which they first wrote.

    Of a run that stands in two folders, one a copy of the other, each record comes twice: that changes neither the
    last record of a thing nor a median over all readings.
    """
    runs: dict[str, list[Record[Any]]] = {}
    for record in records:
        runs.setdefault(record.run.run_id, []).append(record)
    return runs
