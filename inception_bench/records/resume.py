"""What of earlier runs still holds: measured for the same thing, by the same code, here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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


def key_of_pair(name: str, case: Mapping[str, Any], partner: Mapping[str, Any]) -> str:
    """A pair (its name, and both cases as JSON) as a key."""
    return json.dumps([name, case, partner], sort_keys=True)


def resumable(records: Sequence[Record], environment: Mapping[str, Any], rounds: int) -> dict[str, Record]:
    """The last ``ok`` record of each case that was measured in an equal environment with at least ``rounds``."""
    return {
        key_of_case(record.case): record
        for record in _holding(records, environment)
        if record.kind == "cell" and _is_timed(record, rounds)
    }


def resumable_pairs(
    records: Sequence[Record], environment: Mapping[str, Any], rounds_of: Callable[[Mapping[str, Any]], int]
) -> dict[str, Record]:
    """The same of pairs; ``rounds_of`` says how many rounds a pair of that case (as JSON) takes."""
    return {
        key_of_pair(record.body["pair"], record.case, record.body["partner"]): record
        for record in _holding(records, environment)
        if record.kind == "pair" and _is_timed(record, rounds_of(record.case))
    }


def resumable_proxies(records: Sequence[Record], environment: Mapping[str, Any]) -> dict[str, Record]:
    """The last record of each claim whose arms were trained in an equal environment, by the claim's id.

    Other claims are measured again: they take no time, or are made of pairs.
    """
    return {
        record.body["id"]: record
        for record in _holding(records, environment)
        if record.kind == "claim" and record.body["courses"]
    }


def taken_over(record: Record, run: Run) -> Record:
    """``record`` as one of ``run``, saying which run measured it."""
    origin = record.resumed_from or record.run.run_id
    return Record(record.kind, run, record.case, record.params, record.macs, record.body, resumed_from=origin)


def _holding(records: Sequence[Record], environment: Mapping[str, Any]) -> list[Record]:
    def same(record: Record) -> bool:
        theirs = record.run.environment
        return all(theirs.get(name) == environment.get(name) for name in SAME)

    return [record for record in records if same(record)]


def _is_timed(record: Record, rounds: int) -> bool:
    return record.body["outcome"] == "ok" and len(record.body["rounds"]["candidate_s"]) >= rounds
