"""All that was measured of a cell, its outcome, and the reason of that outcome: the body of the cell's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from inception_bench.backends.base import Attestation
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.parity import Parity
from inception_bench.measure.rounds import Rounds
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.store.cache import Artifact
from inception_bench.store.known import read_known


@dataclass(frozen=True)
class ArtifactFacts:
    """The facts of an artifact that a record keeps: all but its place on this machine.

    ``build_s`` is how many seconds it took to build, also where it now came from the cache (``cached``). ``digest`` is
    a hash of its files, ``key`` its key in the cache.
    """

    size_bytes: int
    digest: str
    build_s: float
    key: str = ""
    cached: bool = False

    @classmethod
    def of(cls, artifact: Artifact) -> ArtifactFacts:
        return read_known(cls, vars(artifact))


@dataclass(frozen=True)
class PairFacts:
    """One pair of fresh processes that a cell was timed in, by their process numbers.

    ``started_first`` is ``candidate`` or ``partner``, ``start_s`` the seconds from its start to the first timed round.
    ``peak_rss_bytes`` is the peak of the candidate's resident memory over the timed rounds, None where the system does
    not tell. ``started_by`` says how the processes were made: by ``exec`` each gets an address layout of its own, which
    forked ones would share.
    """

    candidate_pid: int
    partner_pid: int
    started_first: str
    start_s: float
    peak_rss_bytes: int | None
    started_by: str = "exec"


@dataclass
class Measurement:
    """All that was measured of a cell. Times are in seconds, memory is in bytes, and what was not reached stays None.

    * ``outcome`` is ``ok`` or the name of what went wrong, ``stage`` the last stage that the cell entered, ``reason``
      a sentence on why the outcome is not ``ok``.
    * ``weights`` names the weights, ``artifact`` holds the facts of what the runtime loaded.
    * ``attest`` is what the session says of how it runs. ``parity`` compares its output with the reference,
      ``partner_parity`` the output of the partner, the process that the cell was timed beside. ``accuracy`` counts
      right answers to test images, where the network was trained.
    * ``load_s`` is the time that loading the artifact took, ``first_call_s`` the time of the first call after it.
    * ``rounds`` holds every timed call of one batch, the cell's beside the partner's, over several pairs of processes;
      ``pairs`` are the facts of these. What else is said of a process (``worker``, ``load_s``, ``first_call_s``,
      ``partner_pid``) is of the first pair. ``aim`` is the half-width, as a share, that the interval of their ratio was
      to reach.
    * ``peak_rss_bytes`` is the peak of the worker's resident memory over the timed rounds, and
      ``peak_rss_since_start_bytes`` the peak since the worker began; the largest of all pairs.
    * ``device`` says what the GPU is and did, ``worker`` which process and packages ran the cell, ``activity`` what
      else the machine did meanwhile. All three are JSON objects whose fields stand in ``docs/records.md``.
    * ``partner_pid`` is the process of the partner; cells of one run with the same value shared one.
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
    pairs: Sequence[PairFacts] = ()
    aim: float | None = None
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
        """The rounds, never None. Raises ValueError where there are none: only a cell that ended ok has times."""
        if self.rounds is None:
            raise ValueError(f"a cell that ended as {self.outcome!r} has no timed rounds")
        return self.rounds

    @property
    def l2(self) -> str | None:
        """The state in which timed calls found the GPU's second-level cache, in words; None on a CPU."""
        return (self.device or {}).get("l2")

    @property
    def peak_device_bytes(self) -> int | None:
        """Bytes of the GPU's free memory that the cell took, as the driver tells for every engine; None on a CPU."""
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
            "pairs": [asdict(pair) for pair in self.pairs],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What ``to_json`` gave; older records lack fields. Raises KeyError or TypeError for anything else."""
        objects = {name: read(data[name]) for name, read in _READERS.items() if data.get(name) is not None}
        return read_known(cls, data, **objects, outcome=data["outcome"])


@dataclass
class PairMeasurement(Measurement):
    """The measurement of a cell that was timed beside another network, ``partner``, instead of beside eager.

    ``pair`` is the name of the factorisation. In ``rounds`` the times of the partner stand as those of the reference.
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
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        return replace(super().from_json(data), pair=data["pair"], partner=Case.from_json(data["partner"]))


# How each field that is an object of its own is read from JSON.
_READERS: dict[str, Callable[[Any], Any]] = {
    "artifact": lambda data: read_known(ArtifactFacts, data),
    "attest": lambda data: read_known(Attestation, data),
    "parity": Parity.from_json,
    "partner_parity": Parity.from_json,
    "accuracy": lambda data: read_known(Counts, data),
    "rounds": lambda data: read_known(Rounds, data),
    "pairs": lambda data: tuple(read_known(PairFacts, pair) for pair in data),
}
