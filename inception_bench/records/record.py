"""A record: one measured (or unmeasurable) thing with all its circumstances, versioned.

Format history of ``records.jsonl``:

* 1: first version. Kinds ``cell`` and ``complexity``.
* 2: a case names its weights and the data of its accuracy; kinds ``step``, ``training``, ``claim`` (what
  was measured for one claim of the papers; its ``case`` is empty, ``params`` and ``macs`` null), ``pair`` (a cell
  timed beside another; its body is a cell's with ``pair``, the name, and ``partner``, the other's case), ``duet`` (a
  cell under two installations; its body holds both sides' facts and the raw blocks) and ``power`` (a trial of the
  gate). Records of version 1 are read as such of version 2: theirs were all signal-keeping, without data. A reader
  that does not know a kind passes it over.
"""

from __future__ import annotations

import datetime
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.machine.environment import read_environment
from inception_bench.spec.network import SIGNAL_KEEPING

SCHEMA = 2
_FIRST_CASES = {"weights": SIGNAL_KEEPING, "data": ""}


@dataclass(frozen=True)
class Run:
    """What all records of one run share. ``started`` is UTC, ISO 8601."""

    run_id: str
    started: str
    profile: str
    environment: dict[str, Any]

    @classmethod
    def begin(cls, profile: str) -> Run:
        """A run that starts now, on this machine; ``profile`` may be the name of what runs without one."""
        now = datetime.datetime.now(datetime.UTC)
        run_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        return cls(run_id, now.isoformat(timespec="seconds"), profile, read_environment().to_json())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Record:
    """One line. ``body`` of a cell: a Measurement; of a pair: one and both cases;
    of a complexity: what each counter gave; of a claim: its figures.

    ``case`` holds the fields of a Case. ``params`` and ``macs`` are by table, aux heads off; None where the
    record is of no network.
    """

    kind: str
    run: Run
    case: dict[str, Any]
    params: int | None
    macs: int | None
    body: dict[str, Any]
    resumed_from: str | None = None
    schema: int = field(default=SCHEMA)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def found_l2(self) -> str | None:
        """How its timed calls found a GPU's second-level cache, in words; None where no GPU was in play."""
        return (self.body.get("device") or {}).get("l2")

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Read a line back. Raises ValueError for an unknown schema or a missing field."""
        if not isinstance(data, dict):
            raise ValueError(f"not a record ({type(data).__name__})")
        if data.get("schema") not in (1, SCHEMA):
            raise ValueError(f"schema {data.get('schema')!r}; this version reads 1 and {SCHEMA}")
        try:
            if data["schema"] == 1:
                data = {**data, "schema": SCHEMA, "case": {**data["case"], **_FIRST_CASES}}
            return cls(**{**data, "run": Run(**data["run"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record ({error})") from None
