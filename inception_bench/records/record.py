"""A record: one thing that was measured (or could not be), with all its circumstances. Its format has a version.

Format history of ``records.jsonl``:

* 1: first version. Kinds ``cell`` and ``complexity``.
* 2: a case names its weights and the data of its accuracy; kinds ``step``, ``training``, ``claim`` (what
  was measured for one claim of the papers; its ``case`` is empty, ``params`` and ``macs`` null), ``pair`` (a cell
  timed beside another; its body is a cell's with ``pair``, the name, and ``partner``, the other's case), ``duet`` (a
  cell under two installations; its body holds both sides' facts and the raw blocks) and ``power`` (a trial of the
  gate). Records of version 1 are read as records of version 2 with signal-keeping weights and no data, as all of them
  had. A reader passes over records of a kind that it does not know, so the kind ``ceilings`` (what the machine gave
  between two cells, without a case) came later without a new version.
* 3: a cell's rounds are spread over several pairs of processes. ``rounds`` has ``process_pair``, the number of each
  round's pair, and its pairs of rounds form blocks of two; ``pairs`` holds the facts of the processes, ``aim`` the
  half-width of the interval that was aimed at. The rounds of versions 1 and 2 are of one pair.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from inception_bench.machine.environment import read_environment
from inception_bench.spec.case import Case

SCHEMA = 3


class Body(Protocol):
    """What a record holds beside its circumstances: a dataclass of the record's kind (see ``records.kinds``)."""

    def to_json(self) -> dict[str, Any]: ...


B = TypeVar("B", bound=Body, covariant=True)


@dataclass(frozen=True)
class Run:
    """What all records of one run share. ``started`` is UTC, ISO 8601."""

    run_id: str
    started: str
    profile: str
    environment: dict[str, Any]

    @classmethod
    def begin(cls, profile: str) -> Run:
        """A run that starts now, on this machine; a command without profiles gives its own name as ``profile``."""
        now = datetime.datetime.now(datetime.UTC)
        run_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        return cls(run_id, now.isoformat(timespec="seconds"), profile, read_environment().to_json())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def differing(one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Those of the facts ``names`` in which two environments differ."""
    return [name for name in names if one.get(name) != other.get(name)]


@dataclass(frozen=True)
class Record(Generic[B]):
    """One line of ``records.jsonl``. ``kind`` is a name of ``records.kinds``, which says what ``body`` holds.

    ``case`` is None where the record is of no single cell (a claim). ``params`` and ``macs`` are those of the network's
    table, aux heads off; None where the record is of no network. ``resumed_from`` is the run that measured a record
    which was taken over. ``took_s`` is how long the item of the suites took whose result this is, from its beginning to
    this record, in seconds; what was built meanwhile for other items does not count. It is None where no item wrote the
    record as its own, and in records from before it was kept.
    """

    kind: str
    run: Run
    case: Case | None
    params: int | None
    macs: int | None
    body: B
    resumed_from: str | None = None
    took_s: float | None = None
    schema: int = field(default=SCHEMA)

    @property
    def own_case(self) -> Case:
        """The case. Raises ValueError for a record of a kind that has none."""
        if self.case is None:
            raise ValueError(f"a record of the kind {self.kind!r} is of no case")
        return self.case

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in the line."""
        case = {} if self.case is None else self.case.to_json()
        return {**vars(self), "run": self.run.to_json(), "case": case, "body": self.body.to_json()}
