"""Which cells of earlier runs still hold: measured for the same case, by the same code, here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inception_bench.records.record import Record, Run

# What of an environment must be the same for a time to hold. Left out: what may change without changing a time
# (the git revision of equal sources), and what a run's own records keep (load, governor).
SAME = (
    "cpu", "architecture", "logical_cores", "usable_cores", "memory_bytes", "system", "python", "packages", "gpu",
    "thread_variables", "source_hash",
)  # fmt: skip


def key_of_case(case: Mapping[str, Any]) -> str:
    """A case (as JSON) as a key."""
    return json.dumps(case, sort_keys=True)


def resumable(records: Sequence[Record], environment: Mapping[str, Any], rounds: int) -> dict[str, Record]:
    """The last ``ok`` record of each case that was measured in an equal environment with at least ``rounds``."""
    found = {}
    for record in records:
        if record.kind != "cell" or record.body["outcome"] != "ok":
            continue
        theirs = record.run.environment
        same = all(theirs.get(name) == environment.get(name) for name in SAME)
        if same and len(record.body["rounds"]["candidate_s"]) >= rounds:
            found[key_of_case(record.case)] = record
    return found


def taken_over(record: Record, run: Run) -> Record:
    """``record`` as one of ``run``, saying which run measured it."""
    origin = record.resumed_from or record.run.run_id
    return Record(record.kind, run, record.case, record.params, record.macs, record.body, resumed_from=origin)
