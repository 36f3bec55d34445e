"""Paired rounds: every timed call of a candidate, each beside a timed call of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from inception_bench.measure.replies import Round


@dataclass(frozen=True)
class Rounds:
    """The raw values of all pairs of rounds; values at the same index belong to the same pair.

    ``candidate_s`` and ``reference_s`` are seconds per call of one batch, by the host's clock;
    ``candidate_preempted`` and ``reference_preempted`` count involuntary context switches during the call.
    ``candidate_device_s`` are the same calls in seconds by the GPU's clock (events on its stream), None on a CPU.
    ``candidate_with_input_s`` are seconds of further calls after the rounds, with the transfer of their batch from the
    host, None on a CPU.

    Rounds come in blocks of two pairs of rounds: in one of them the reference runs first (``reference_first``), in the
    other the candidate, in an order that is drawn at random. A block has both its pairs of rounds from the same two
    processes, and ``process_pair`` is the number of these processes, from 0. It is None in records of schema 1 and 2:
    all their rounds are of one pair of processes, each pair of rounds in an order of its own.
    """

    candidate_s: Sequence[float]
    reference_s: Sequence[float]
    reference_first: Sequence[bool]
    candidate_preempted: Sequence[int]
    reference_preempted: Sequence[int]
    candidate_device_s: Sequence[float] | None = None
    candidate_with_input_s: Sequence[float] | None = None
    process_pair: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.candidate_s)

    @property
    def pairs(self) -> int:
        """How many pairs of processes the rounds are spread over."""
        return 1 if self.process_pair is None else len(set(self.process_pair))

    def ratios(self) -> list[float]:
        """Reference over candidate, pair by pair: above 1 the candidate is faster."""
        return [reference / candidate for reference, candidate in zip(self.reference_s, self.candidate_s, strict=True)]

    def reference_by_pair(self) -> list[float]:
        """The reference's median seconds in each pair of processes: how far the machine changed between them."""
        numbers = self.process_pair or [0] * len(self)
        return [
            median(seconds for seconds, own in zip(self.reference_s, numbers, strict=True) if own == number)
            for number in dict.fromkeys(numbers)
        ]

    def preempted_share(self) -> float:
        """The share (0 to 1) of the candidate's rounds in which the kernel interrupted it at least once."""
        return sum(count > 0 for count in self.candidate_preempted) / len(self)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Taken:
    """The rounds of a cell that is under way: the workers' replies, in the order of measuring."""

    candidate: list[Round] = field(default_factory=list)
    reference: list[Round] = field(default_factory=list)
    reference_first: list[bool] = field(default_factory=list)
    process_pair: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.candidate)

    def add(self, candidate: Round, reference: Round, *, reference_first: bool, process_pair: int) -> None:
        """One more pair of rounds."""
        self.candidate.append(candidate)
        self.reference.append(reference)
        self.reference_first.append(reference_first)
        self.process_pair.append(process_pair)

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
            self.process_pair,
        )
