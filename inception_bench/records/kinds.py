"""The kinds of records: how the body of each is read, how a record is found again, taken over, compared and named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from inception_bench.measure.ceilings import Ceilings, NoCeilings
from inception_bench.measure.counting import network_complexity
from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.measure.timed_step import TimedStep
from inception_bench.models.counted import Counted
from inception_bench.records.claim_body import ClaimBody
from inception_bench.records.coverage_body import CoverageBody
from inception_bench.records.differences import (
    cell_facts,
    claim_facts,
    counting_facts,
    network_facts,
    training_facts,
)
from inception_bench.records.duet_body import DuetBody, PowerBody
from inception_bench.records.fact import Fact
from inception_bench.records.pairs import pair_of
from inception_bench.records.record import SCHEMA, Body, Record, Run
from inception_bench.spec.case import Case
from inception_bench.spec.network import SIGNAL_KEEPING
from inception_bench.spec.profile import LEAST_PAIRS
from inception_bench.train.trained import Trained

T = TypeVar("T", bound=Body)
# Fields that cases in the first version of the format lack, and the values that all of them had.
_FIRST_CASES = {"weights": SIGNAL_KEEPING, "data": ""}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """One kind of record.

    ``read`` makes the body from JSON. ``key`` tells one measured thing from all others of its kind and is the same in
    every run; ``label`` names the thing for readers. ``facts`` gives the facts in which two records of one thing
    differ; None for a kind that is never compared with another run. ``is_measured`` is false where the record only says
    why nothing was measured. ``holds`` says whether a later run, which asks for that many rounds, may take the record
    over.
    """

    name: str
    noun: str
    read: Callable[[Mapping[str, Any]], T]
    key: Callable[[Record[T]], str]
    label: Callable[[Record[T]], str]
    facts: Callable[[Record[T], Record[T]], Iterable[Fact]] | None = None
    is_measured: Callable[[T], bool] = lambda body: True
    holds: Callable[[T, int], bool] = lambda body, rounds: False

    def record(self, run: Run, case: Case | None, body: T) -> Record[T]:
        """A record of ``run``, with params and MACs of the case's network by its table; a None case has neither."""
        if case is None:
            return Record(self.name, run, None, None, None, body)
        costs = network_complexity(case.network)
        return Record(self.name, run, case, costs.params_without_aux, costs.macs, body)

    def counted(self, count: int) -> str:
        """``1 pair``, ``2 pairs``."""
        return f"{count} {self.noun}{'s' * (count != 1)}"

    def among(self, records: Iterable[Record[Any]]) -> list[Record[T]]:
        """Those of ``records`` that are of this kind, in their order."""
        return [record for record in records if record.kind == self.name]

    def newest(self, records: Iterable[Record[Any]]) -> dict[str, Record[T]]:
        """The last record of each thing of this kind, by its key, in the order in which each was first measured."""
        return {self.key(record): record for record in self.among(records)}


def _case_key(record: Record[Any]) -> str:
    return record.own_case.key


def _case_label(record: Record[Any]) -> str:
    return record.own_case.id


def _counting_label(record: Record[Any]) -> str:
    """The fields of a case that its costs depend on: those of the network, without runtime and threads."""
    network = record.own_case.network
    return f"{network.address}-{network.input_size}px-w{network.width_mult:g}-c{network.num_classes}"


def _is_timed(body: Measurement, rounds: int) -> bool:
    return body.is_ok and len(body.timed) >= rounds and body.timed.pairs >= LEAST_PAIRS


CELL = Kind("cell", "cell", Measurement.from_json, _case_key, _case_label, cell_facts, holds=_is_timed)
PAIR = Kind(
    "pair",
    "pair",
    PairMeasurement.from_json,
    lambda record: pair_of(record).key,
    lambda record: pair_of(record).id,
    cell_facts,
    holds=_is_timed,
)
TRAINING = Kind("training", "training", Trained.from_json, _case_key, _case_label, training_facts)
STEP = Kind("step", "training step", TimedStep.from_json, _case_key, _case_label, network_facts)
COMPLEXITY = Kind("complexity", "count", Counted.from_json, _counting_label, _counting_label, counting_facts)
# Only the trainings of a proxy are worth taking over: other claims take no time, or follow from pairs.
CLAIM = Kind(
    "claim",
    "claim",
    ClaimBody.from_json,
    lambda record: record.body.id,
    lambda record: record.body.id,
    claim_facts,
    is_measured=lambda body: body.is_measured,
    holds=lambda body, rounds: bool(body.courses),
)
DUET = Kind("duet", "duet", DuetBody.from_json, _case_key, _case_label)
POWER = Kind("power", "trial", PowerBody.from_json, _case_key, _case_label)
COVERAGE = Kind("coverage", "trial", CoverageBody.from_json, _case_key, _case_label)
CEILINGS = Kind(
    "ceilings",
    "reading of the machine",
    Ceilings.from_json,
    lambda record: f"{record.run.run_id} {record.body.threads}",
    lambda record: record.run.run_id,
)
# A kind of its own, so that each field of a reading is a number, and older readers pass over it.
NO_CEILINGS = Kind(
    "no_ceilings",
    "failed reading of the machine",
    NoCeilings.from_json,
    lambda record: f"{record.run.run_id} {record.body.threads}",
    lambda record: record.run.run_id,
)

_ALL: tuple[Kind[Any], ...] = (
    CELL, PAIR, TRAINING, STEP, COMPLEXITY, CLAIM, DUET, POWER, COVERAGE, CEILINGS, NO_CEILINGS,
)  # fmt: skip
KINDS = {kind.name: kind for kind in _ALL}


@dataclass(frozen=True)
class Foreign:
    """The body of a record whose kind a later version knows: kept as it is, and passed over."""

    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.values)


def read_record(data: Any) -> Record[Any]:
    """A line of ``records.jsonl`` (as JSON reads it). Raises ValueError for an unknown schema or a missing field."""
    if not isinstance(data, dict):
        raise ValueError(f"not a record ({type(data).__name__})")
    if data.get("schema") not in range(1, SCHEMA + 1):
        raise ValueError(f"schema {data.get('schema')!r}; this version reads 1 to {SCHEMA}")
    try:
        first = _FIRST_CASES if data["schema"] == 1 else {}
        case = Case.from_json({**data["case"], **first}) if data["case"] else None
        read = KINDS[data["kind"]].read if data["kind"] in KINDS else Foreign
        parts = {"run": Run(**data["run"]), "case": case, "body": read(data["body"]), "schema": SCHEMA}
        return Record(**{**data, **parts})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a record ({error})") from None


def thing_key(record: Record[Any]) -> str:
    """A key for the thing that a record measured, over all kinds; the same in every run."""
    return f"{record.kind} {KINDS[record.kind].key(record)}"


def measured_things(records: Iterable[Record[Any]]) -> Iterator[Record[Any]]:
    """The records that can be compared with another run's; not those that only say why nothing was measured."""
    for record in records:
        kind = KINDS.get(record.kind)
        if kind is not None and kind.facts is not None and kind.is_measured(record.body):
            yield record
