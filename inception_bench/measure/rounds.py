"""Paired rounds: every timed value of a candidate, each beside one of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.measure.replies import Round


@dataclass(frozen=True)
class Rounds:
    """Raw values, a pair an index: seconds per call, and involuntary context switches meanwhile.

    ``candidate_device_s`` is the same rounds by the device's own clock (events on its stream), and
    ``candidate_with_input_s`` calls after the rounds whose batch came from the host; None on a CPU.
    ``reference_first`` says whether the reference ran before the candidate (drawn at random).
    """

    candidate_s: Sequence[float]
    reference_s: Sequence[float]
    reference_first: Sequence[bool]
    candidate_preempted: Sequence[int]
    reference_preempted: Sequence[int]
    candidate_device_s: Sequence[float] | None = None
    candidate_with_input_s: Sequence[float] | None = None

    def __len__(self) -> int:
        return len(self.candidate_s)

    def ratios(self) -> list[float]:
        """Reference over candidate, pair by pair: above 1 the candidate is faster."""
        return [reference / candidate for reference, candidate in zip(self.reference_s, self.candidate_s, strict=True)]

    def preempted_share(self) -> float:
        """The share of candidate rounds that the kernel interrupted at least once."""
        return sum(count > 0 for count in self.candidate_preempted) / len(self)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Taken:
    """The pairs of a cell that is under way: what the workers answered to each round."""

    candidate: list[Round] = field(default_factory=list)
    reference: list[Round] = field(default_factory=list)
    reference_first: list[bool] = field(default_factory=list)

    def rounds(self, with_input_s: Sequence[float] | None = None) -> Rounds:
        """The raw values so far; ``with_input_s`` came after them."""
        device_s = [answer.device_s for answer in self.candidate if answer.device_s is not None]
        return Rounds(
            [answer.seconds for answer in self.candidate],
            [answer.seconds for answer in self.reference],
            self.reference_first,
            [answer.preempted for answer in self.candidate],
            [answer.preempted for answer in self.reference],
            device_s or None,
            with_input_s,
        )
