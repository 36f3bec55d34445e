"""What was measured for one claim of the papers, as a record keeps it: the verdict is made again when it is read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inception_bench.records.statistics import Interval
from inception_bench.store.known import known_fields

# Below this accuracy a training has learnt nothing: twice what guessing gives with ten classes.
STALLED = 0.2
# ``state`` of a claim: figures are there, or the reason why there are none.
MEASURED, NOT_TESTABLE, NOT_RUN, INCONCLUSIVE = "measured", "not testable here", "not run", "inconclusive"


@dataclass(frozen=True)
class Course:
    """What one training gave: validation top-1 by step, the loss of every step, and how it ended.

    ``dead_share`` is the share of channels before the last pool that are zero on every image, where it was asked.
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

        Accuracies are taken every so many steps only; between two of them the accuracy is taken to rise on a straight
        line. Without that, three seeds that reach it between the same two steps would seem to agree exactly.
        """
        accuracies = [(0, 0.0), *sorted(self.validation.items())]
        for (before, low), (after, high) in itertools.pairwise(accuracies):
            if high >= accuracy:
                return before + (after - before) * (accuracy - low) / (high - low)
        return float("inf")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Course:
        """As JSON has it (steps are text there), or as a trainer answers; what else it has is left.

        Raises KeyError or TypeError for anything else.
        """
        by_step = {int(step): top1 for step, top1 in data["validation"].items()}
        return cls(**{**known_fields(cls, data), "validation": by_step})


@dataclass(frozen=True)
class ClaimBody:
    """``figures`` are in the claim's own units, with their 95 % intervals; an exact one is its own interval.

    They are empty where they follow from raw values: from ``pairs``, ids of pairs that were timed in this run, or
    from ``courses``, the trainings of a proxy, (changed, compared with) a seed. ``note`` says what figures do not:
    why it was not run, on what two ways disagree. ``run_device`` is cpu or cuda: times are compared on it.
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

        Records that do not tell their device are of CPUs, as all runs then were.
        """
        parts = {
            "figures": tuple(Interval(**figure) for figure in data["figures"]),
            "pairs": tuple(data["pairs"]),
            "courses": tuple((Course.from_json(one), Course.from_json(other)) for one, other in data["courses"]),
        }
        return cls(**{**known_fields(cls, data), **parts})
