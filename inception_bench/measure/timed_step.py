"""A training step that was timed: what its record keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inception_bench.store.known import known_fields


@dataclass(frozen=True)
class TimedStep:
    """Seconds of each step (forward, backward, update) and involuntary context switches meanwhile.

    ``aux`` tells whether it computes losses of aux heads. ``precision``, ``tf32`` and ``gpu`` are the arithmetic that
    was in force (see ``train.machine.effective``). Memory in bytes, its peaks over the timed steps.
    """

    seconds: Sequence[float]
    preempted: Sequence[int]
    peak_was_reset: bool
    aux: bool
    precision: str | None = None
    tf32: bool | None = None
    gpu: str | None = None
    peak_rss_bytes: int | None = None
    peak_device_bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TimedStep:
        """What ``to_json`` gave. Raises TypeError for anything else."""
        return cls(**known_fields(cls, data))
