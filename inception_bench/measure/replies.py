"""What a worker replies to the coordinator, a class for each call. Fields that older workers do not send have defaults.

A reply is not an answer: answers are a network's answers to images (``measure/accuracy.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation
from inception_bench.processes.protocol import OLDEST_PROTOCOL
from inception_bench.store.known import read_known


@dataclass(frozen=True)
class Started:
    """What a worker says of itself once its engine is imported.

    ``python`` is the version of its interpreter, ``versions`` has the versions of the packages that decide what the
    engine makes, ``hardware`` the facts of the processor or of the GPU. ``protocol`` is the version of the calls that
    the worker knows; the oldest workers do not send it.
    """

    python: str
    pid: int
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    protocol: int = OLDEST_PROTOCOL

    def to_json(self) -> dict[str, Any]:
        """The fields that a record keeps."""
        kept = {"python": self.python, "pid": self.pid}
        return {**kept, "versions": dict(self.versions), "hardware": dict(self.hardware)}


@dataclass(frozen=True)
class Refused:
    """By device and precision, why the engine cannot on this machine; an empty text means that it can."""

    refusals: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Loaded:
    """The artifact is loaded: seconds that it took, and which of torch and onnxruntime the worker now has imported."""

    load_s: float
    modules: Sequence[str]


@dataclass(frozen=True)
class FirstCall:
    """The seconds that the first call after loading took."""

    first_call_s: float


@dataclass(frozen=True)
class Attested:
    """How a session really runs (the fields of ``Attestation``), and a text for each difference from what was asked."""

    attest: Mapping[str, Any]
    differences: Sequence[str]

    @property
    def attestation(self) -> Attestation:
        return read_known(Attestation, self.attest)


@dataclass(frozen=True, eq=False)
class Logits:
    """A network's output, as the only one of ``arrays``, in float32.

    It is (images, classes), or (images, all values of all end points) where rows were asked for.
    """

    arrays: Sequence[np.ndarray]

    @property
    def values(self) -> np.ndarray:
        (output,) = self.arrays
        return output


@dataclass(frozen=True)
class WarmedUp:
    """The seconds of each call before the rounds that count."""

    seconds: Sequence[float]


@dataclass(frozen=True)
class Begun:
    """The state of the worker just before its first timed round.

    ``peak_rss_since_start_bytes`` is the peak of its resident memory until then, None where the system does not tell;
    ``peak_was_reset`` says whether the system has begun to count the peak anew. ``busy_share`` is the slow-down that
    was injected with ``slow``, as a share (0 to 1) of a call's time.
    """

    peak_rss_since_start_bytes: int | None
    peak_was_reset: bool
    busy_share: float = 0.0


@dataclass(frozen=True)
class Round:
    """One timed call of one batch.

    ``seconds`` is its time by the host's clock, ``preempted`` how many involuntary context switches happened meanwhile.
    ``device_s`` is its time in seconds by the GPU's own clock, None on a CPU. ``settle_s`` is how many seconds after
    the call it took until the worker's other threads slept.
    """

    seconds: float
    preempted: int
    device_s: float | None = None
    settle_s: float | None = None


@dataclass(frozen=True)
class Ended:
    """The peak of the worker's resident memory over the timed rounds, in bytes; None where the system does not tell."""

    peak_rss_bytes: int | None


@dataclass(frozen=True)
class OnDevice:
    """What only a GPU has; both None on a CPU.

    ``device`` is the object ``device`` of ``docs/records.md``; ``with_input_s`` are the seconds of calls together with
    the transfer of their batch from the host.
    """

    device: dict[str, Any] | None
    with_input_s: Sequence[float] | None = None


@dataclass(frozen=True)
class Done:
    """The call is done; the reply has no fields."""
