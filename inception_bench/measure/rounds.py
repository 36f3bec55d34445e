"""Paired rounds: every timed call of a candidate, each beside a timed call of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.measure.replies import Round


@dataclass(frozen=True)
class Rounds:
    """The raw values of all pairs of rounds; values at the same index belong to the same pair.

    ``candidate_s`` and ``reference_s`` are seconds per call of one batch, by the host's clock;
    ``candidate_preempted`` and ``reference_preempted`` count involuntary context switches during the call.
    ``candidate_device_s`` are the same calls in seconds by the GPU's clock (events on its stream), None on a CPU.
    ``candidate_with_input_s`` are seconds of further calls after the rounds, with the transfer of their batch from the
    host, None on a CPU. ``reference_first`` says whether the reference ran before the candidate (drawn at random).
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
        """The share (0 to 1) of the candidate's rounds in which the kernel interrupted it at least once."""
        return sum(count > 0 for count in self.candidate_preempted) / len(self)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Taken:
    """The pairs of a cell that is under way: the workers' reply to each round."""

    candidate: list[Round] = field(default_factory=list)
    reference: list[Round] = field(default_factory=list)
    reference_first: list[bool] = field(default_factory=list)

    def rounds(self, with_input_s: Sequence[float] | None = None) -> Rounds:
        """The raw values so far; ``with_input_s`` are the seconds of the calls after the rounds (see ``Rounds``)."""
        device_s = [reply.device_s for reply in self.candidate if reply.device_s is not None]
        return Rounds(
            [reply.seconds for reply in self.candidate],
            [reply.seconds for reply in self.reference],
            self.reference_first,
            [reply.preempted for reply in self.candidate],
            [reply.preempted for reply in self.reference],
            device_s or None,
            with_input_s,
        )
