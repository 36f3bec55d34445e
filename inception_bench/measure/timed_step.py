"""The times of a training step, as its record keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inception_bench.store.known import read_known


@dataclass(frozen=True)
class TimedStep:
    """The rounds of one training step, which is forward pass, backward pass and update of the weights for one batch.

    ``seconds`` are those of each round, ``preempted`` the involuntary context switches during it. ``aux`` says whether
    the step computes the losses of aux heads. ``precision``, ``tf32`` and ``gpu`` describe the arithmetic that was in
    force (see ``train.machine.effective``). The peaks of memory are in bytes, over the timed rounds; for
    ``peak_rss_bytes`` that is only so where ``peak_was_reset``.
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
        return read_known(cls, data)
