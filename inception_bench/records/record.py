"""A record: one measured (or unmeasurable) thing with all its circumstances, versioned.

Format history of ``records.jsonl``:

* 1: first version. Kinds ``cell`` and ``complexity``; later also ``duet`` and ``power``, which readers of the others
  pass over.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = 1


@dataclass(frozen=True)
class Run:
    """What all records of one run share. ``started`` is UTC, ISO 8601."""

    run_id: str
    started: str
    profile: str
    environment: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Record:
    """One line. ``body`` of a cell: a Measurement; of a complexity: what each counter gave.

    ``case`` holds the fields of a Case. ``params`` and ``macs`` are by table, aux heads off.
    """

    kind: str
    run: Run
    case: dict[str, Any]
    params: int
    macs: int
    body: dict[str, Any]
    resumed_from: str | None = None
    schema: int = field(default=SCHEMA)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Read a line back. Raises ValueError for another schema or a missing field."""
        if not isinstance(data, dict):
            raise ValueError(f"not a record ({type(data).__name__})")
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema {data.get('schema')!r}; this version reads {SCHEMA}")
        try:
            return cls(**{**data, "run": Run(**data["run"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record ({error})") from None
