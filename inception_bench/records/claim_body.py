"""What was measured for one claim of the papers, as a record keeps it: the verdict is made again when it is read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inception_bench.records.statistics import Interval
from inception_bench.store.known import read_known

# A share, 0 to 1: below this accuracy a training has learnt nothing. Guessing among ten classes gives half of it.
STALLED = 0.2
# ``state`` of a claim: figures are there, or the reason why there are none.
MEASURED, NOT_TESTABLE, NOT_RUN, INCONCLUSIVE = "measured", "not testable here", "not run", "inconclusive"


@dataclass(frozen=True)
class Course:
    """The course of one training: validation top-1 (share, 0 to 1) by step, the loss of every step, and how it ended.

    ``dead_share`` is the share of channels before the last pool that are zero on every image, if it was measured.
    """

    outcome: str
    validation: Mapping[int, float]
    losses: Sequence[float]
    dead_share: float | None = None

    @property
    def final(self) -> float:
        """The last accuracy; 0 for a training that diverged before one was taken."""
        return self.validation[max(self.validation)] if self.validation and self.outcome == "ok" else 0.0

    @property
    def has_stalled(self) -> bool:
        return self.outcome != "ok" or self.final < STALLED

    def steps_to(self, accuracy: float) -> float:
        """The step at which the accuracy was first reached; infinite where it never was.

        Accuracies are measured only now and then. Between two measurements the accuracy is assumed to rise on a
        straight line: else three seeds that reach it between the same two measurements would seem to agree exactly.
        """
        accuracies = [(0, 0.0), *sorted(self.validation.items())]
        for (before, low), (after, high) in itertools.pairwise(accuracies):
            if high >= accuracy:
                return before + (after - before) * (accuracy - low) / (high - low)
        return float("inf")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Course:
        """Read a course from JSON, where steps are text, or from a trainer's answer; unknown fields are ignored.

        Raises KeyError or TypeError for anything else.
        """
        by_step = {int(step): top1 for step, top1 in data["validation"].items()}
        return read_known(cls, data, validation=by_step)


@dataclass(frozen=True)
class ClaimBody:
    """What one claim came to. ``figures`` are in the claim's own units, with 95 % intervals (exact ones: of width 0).

    ``figures`` is empty where it follows from raw values: from ``pairs``, the ids of pairs that were timed in this run,
    or from ``courses``, for each seed of a proxy the changed training and the one it is compared with. ``note`` says
    what figures cannot: why the claim was not run, or in what two ways of counting disagree. ``run_device`` is cpu or
    cuda: the device whose expected verdict counts for a claim about times.
    """

    id: str
    state: str
    figures: tuple[Interval, ...] = ()
    pairs: tuple[str, ...] = ()
    courses: tuple[tuple[Course, Course], ...] = ()
    note: str = ""
    run_device: str = "cpu"

    @property
    def is_measured(self) -> bool:
        """False where the profile left the claim out, or where it cannot be tested on that machine."""
        return self.state not in (NOT_RUN, NOT_TESTABLE)

    @property
    def exact_figures(self) -> list[float]:
        """The figures without an interval: arithmetic over tables."""
        return [figure.value for figure in self.figures if figure.low == figure.high]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ClaimBody:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else.

        Records without a device are from a CPU: when they were written, all runs were.
        """
        parts = {
            "figures": tuple(Interval(**figure) for figure in data["figures"]),
            "pairs": tuple(data["pairs"]),
            "courses": tuple((Course.from_json(one), Course.from_json(other)) for one, other in data["courses"]),
        }
        return read_known(cls, data, **parts)
