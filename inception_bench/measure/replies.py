"""What a worker answers to each call, as values. What an older worker leaves out has a default here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation
from inception_bench.processes.protocol import OLDEST_PROTOCOL
from inception_bench.store.known import known_fields


@dataclass(frozen=True)
class Started:
    """What a worker says of itself once its engine is imported.

    ``python`` is its version, ``versions`` those of the packages that decide what the engine makes, ``hardware`` the
    facts of the processor or of the GPU. ``protocol`` is the version of its calls; the first ones told none.
    """

    python: str
    pid: int
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    protocol: int = OLDEST_PROTOCOL

    def to_json(self) -> dict[str, Any]:
        """What a record keeps of it."""
        kept = {"python": self.python, "pid": self.pid}
        return {**kept, "versions": dict(self.versions), "hardware": dict(self.hardware)}


@dataclass(frozen=True)
class Refused:
    """For each device and each precision on it why this machine cannot; an empty text: it can."""

    refusals: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Loaded:
    """Seconds that loading took, and which of the large packages the worker has in memory since."""

    load_s: float
    modules: Sequence[str]


@dataclass(frozen=True)
class FirstCall:
    """Seconds of the first call after loading."""

    first_call_s: float


@dataclass(frozen=True)
class Attested:
    """How a session really runs, and where that is not what was asked."""

    attest: Mapping[str, Any]
    differences: Sequence[str]

    @property
    def attestation(self) -> Attestation:
        return Attestation(**known_fields(Attestation, self.attest))


@dataclass(frozen=True, eq=False)
class Logits:
    """One array: (images, classes), or (images, all values of all end points) where rows were asked for."""

    arrays: Sequence[np.ndarray]

    @property
    def values(self) -> np.ndarray:
        (found,) = self.arrays
        return found


@dataclass(frozen=True)
class WarmedUp:
    """Seconds of each call that does not count."""

    seconds: Sequence[float]


@dataclass(frozen=True)
class Begun:
    """Just before the first timed round: the peak of resident memory until then, in bytes, and whether it was reset.

    ``busy_share`` is the injected slow-down that is in force, as a share of a call's time.
    """

    peak_rss_since_start_bytes: int | None
    peak_was_reset: bool
    busy_share: float = 0.0


@dataclass(frozen=True)
class Round:
    """One timed call: host seconds, and involuntary context switches meanwhile.

    ``device_s`` is by the device's own clock, None without one; ``settle_s`` the seconds after it until the worker's
    other threads slept.
    """

    seconds: float
    preempted: int
    device_s: float | None = None
    settle_s: float | None = None


@dataclass(frozen=True)
class Ended:
    """The peak of resident memory over the timed rounds, in bytes."""

    peak_rss_bytes: int | None


@dataclass(frozen=True)
class OnDevice:
    """What a GPU did, and seconds of calls that brought their input from the host; None on a CPU."""

    device: dict[str, Any] | None
    with_input_s: Sequence[float] | None = None


@dataclass(frozen=True)
class Done:
    """It is done, and there is nothing to tell."""
