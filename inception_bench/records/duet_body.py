"""The record of a cell in a duet: facts of both sides, and raw rounds. The verdict is made again at every reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from inception_bench.backends.base import Attestation
from inception_bench.measure.measurement import ArtifactFacts
from inception_bench.records.process_pair import ProcessPair
from inception_bench.store.known import read_known

SIDES = ("a", "b")


@dataclass(frozen=True)
class Rule:
    """How a verdict is made. ``min_effect`` is a share of the time, 0 to 1; ``cells``: how many are judged together.

    ``looks`` is how many looks were planned. Each comes after ``pairs_a_look`` more pairs: those that started at once.
    """

    min_effect: float
    looks: int
    cells: int = 1
    pairs_a_look: int = 1

    def look(self, pairs: int) -> int:
        """The number of the look, from 1, at which ``pairs`` pairs have been measured."""
        return min(max(pairs // self.pairs_a_look, 1), self.looks)


@dataclass(frozen=True)
class DuetPlan:
    """How a cell was to be timed: ``budget_s`` seconds at most, and ``timed_s`` seconds for each pair of processes.

    ``min_effect`` is the smallest effect that matters and ``busy_share`` an injected slow-down of b, as shares of the
    time; ``seed`` drew all orders.
    """

    budget_s: float
    min_effect: float
    timed_s: float
    busy_share: float
    seed: str


@dataclass(frozen=True)
class SideParity:
    """The largest error of all processes of a side, and what is allowed; see ``measure.parity.Parity`` for the unit.

    None stands for an infinite error.
    """

    error: float | None
    limit: float


@dataclass(frozen=True)
class SideFacts:
    """What one installation did with the cell; None stands for what it did not reach.

    ``installation`` is where the package lay. ``params`` and ``macs`` are by its own tables. ``worker``,
    ``first_call_s`` and ``attest`` are of its newest process.
    """

    installation: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    stage: str | None = None
    reason: str | None = None
    params: int | None = None
    macs: int | None = None
    weights: str | None = None
    weights_why: str | None = None
    artifact: ArtifactFacts | None = None
    worker: Mapping[str, Any] | None = None
    first_call_s: float | None = None
    attest: Attestation | None = None
    parity: SideParity | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, without what the side did not reach."""
        made = {name: value for name, value in asdict(self).items() if value is not None}
        if self.artifact is not None:
            made["artifact"] = {name: made["artifact"][name] for name in ("size_bytes", "digest", "build_s")}
        return made

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SideFacts:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        parts = {"artifact": ArtifactFacts, "attest": Attestation, "parity": SideParity}
        return read_known(cls, data, **{name: read_known(parts[name], data[name]) for name in parts if name in data})


@dataclass(frozen=True)
class DuetBody:
    """One cell under two installations. ``side`` is the side that stopped it; empty where neither did.

    ``seconds`` are from the start of the first processes to the last look, without building. ``rule`` is None where no
    pair of processes was timed.
    """

    outcome: str
    stage: str
    reason: str
    side: str
    sides: Mapping[str, SideFacts]
    plan: DuetPlan
    seconds: float
    rule: Rule | None
    pairs: tuple[ProcessPair, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **vars(self),
            "sides": {name: facts.to_json() for name, facts in self.sides.items()},
            "plan": asdict(self.plan),
            "rule": None if self.rule is None else asdict(self.rule),
            "pairs": [pair.to_json() for pair in self.pairs],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        return read_known(
            cls,
            data,
            sides={name: SideFacts.from_json(facts) for name, facts in data["sides"].items()},
            plan=read_known(DuetPlan, data["plan"]),
            rule=None if data["rule"] is None else read_known(Rule, data["rule"]),
            pairs=tuple(ProcessPair.from_json(pair) for pair in data["pairs"]),
        )


@dataclass(frozen=True)
class PowerBody(DuetBody):
    """A trial of the gate itself: a duet whose right verdict is known from its ``scenario``."""

    scenario: str = ""

    @classmethod
    def of(cls, scenario: str, duet: DuetBody) -> PowerBody:
        return cls(**vars(duet), scenario=scenario)
