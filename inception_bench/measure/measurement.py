"""What comes of a cell: outcome, reason, and all that was measured until then. It is the body of the cell's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.backends.base import Attestation
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.parity import Parity
from inception_bench.measure.rounds import Rounds
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.store.cache import Artifact
from inception_bench.store.known import known_fields


@dataclass(frozen=True)
class ArtifactFacts:
    """What is kept of an artifact: all but its place on this machine. ``build_s`` in seconds, when it was built."""

    size_bytes: int
    digest: str
    build_s: float
    key: str = ""
    cached: bool = False

    @classmethod
    def of(cls, artifact: Artifact) -> ArtifactFacts:
        return cls(**known_fields(cls, vars(artifact)))


@dataclass
class Measurement:
    """All that came of a cell; what was not reached stays None. Times in seconds, memory in bytes.

    ``weights`` names what was loaded. ``rounds`` holds every timed call in pairs. ``peak_rss_bytes`` is the peak of
    resident memory over the timed rounds, ``peak_rss_since_start_bytes`` since the worker began. ``device`` is what a
    GPU is and did, ``worker`` which process it was, ``activity`` what else the machine did meanwhile: their fields
    stand in ``docs/records.md``. ``partner_pid`` tells cells of one run that were timed beside the same process from
    those that were not.
    """

    outcome: str = "failed"
    stage: str = ""
    reason: str = ""
    weights: str = ""
    artifact: ArtifactFacts | None = None
    attest: Attestation | None = None
    parity: Parity | None = None
    accuracy: Counts | None = None
    partner_parity: Parity | None = None
    load_s: float | None = None
    first_call_s: float | None = None
    rounds: Rounds | None = None
    peak_rss_bytes: int | None = None
    peak_rss_since_start_bytes: int | None = None
    device: Mapping[str, Any] | None = None
    worker: Mapping[str, Any] = field(default_factory=dict)
    partner_pid: int | None = None
    activity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def timed(self) -> Rounds:
        """The rounds. Raises ValueError where there are none: only an ok cell has times."""
        if self.rounds is None:
            raise ValueError(f"a cell that ended as {self.outcome!r} has no timed rounds")
        return self.rounds

    @property
    def l2(self) -> str | None:
        """How its timed calls met a GPU's second-level cache, in words; None where no GPU was in play."""
        return (self.device or {}).get("l2")

    @property
    def peak_device_bytes(self) -> int | None:
        """How much of the GPU's free memory it took, as the driver says: the one figure that all engines have."""
        memory: Mapping[str, int] = (self.device or {}).get("memory") or {}
        return memory.get("mem_get_info_delta")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **vars(self),
            "artifact": None if self.artifact is None else asdict(self.artifact),
            "attest": None if self.attest is None else self.attest.to_json(),
            "parity": None if self.parity is None else self.parity.to_json(),
            "partner_parity": None if self.partner_parity is None else self.partner_parity.to_json(),
            "accuracy": None if self.accuracy is None else self.accuracy.to_json(),
            "rounds": None if self.rounds is None else self.rounds.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measurement:
        """What ``to_json`` gave; older records lack fields. Raises KeyError or TypeError for anything else."""
        return cls(**_read(cls, data))


@dataclass
class PairMeasurement(Measurement):
    """The same of a cell that was timed beside another one: ``pair`` is the factorisation's name, ``partner`` its case.

    Its ``rounds`` hold the partner's times as those of the reference.
    """

    pair: str = ""
    partner: Case | None = None

    @classmethod
    def of(cls, pair: Pair, measurement: Measurement) -> PairMeasurement:
        return cls(**vars(measurement), pair=pair.name, partner=pair.old)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**super().to_json(), "partner": None if self.partner is None else self.partner.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PairMeasurement:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        return cls(**{**_read(cls, data), "pair": data["pair"], "partner": Case.from_json(data["partner"])})


# How each part that is a value of its own is read.
_PARTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "artifact": lambda data: ArtifactFacts(**known_fields(ArtifactFacts, data)),
    "attest": lambda data: Attestation(**known_fields(Attestation, data)),
    "parity": Parity.from_json,
    "partner_parity": Parity.from_json,
    "accuracy": lambda data: Counts(**known_fields(Counts, data)),
    "rounds": lambda data: Rounds(**known_fields(Rounds, data)),
}


def _read(kind: type[Measurement], data: Mapping[str, Any]) -> dict[str, Any]:
    parts = {name: read(data[name]) for name, read in _PARTS.items() if data.get(name) is not None}
    return {**known_fields(kind, data), **parts, "outcome": data["outcome"]}
