"""When a cell has been timed enough: by the width of its interval alone, never by what the interval holds."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.measure.rounds import Rounds
from inception_bench.records.estimate import ProcessSpread
from inception_bench.records.speedup import ratio, spread_on
from inception_bench.records.statistics import Interval
from inception_bench.spec.profile import LEAST_PAIRS, Profile
from inception_bench.spec.runtime import Runtime


@dataclass(frozen=True)
class Sampling:
    """Goes on until half the ratio's 95 % interval is at most the share ``aim`` of it, or ``budget_s`` is spent.

    There are never fewer than ``rounds`` rounds, nor fewer than LEAST_PAIRS pairs of processes, each of which is timed
    for ``seconds_a_pair`` at least.
    """

    spread: ProcessSpread
    rounds: int
    aim: float
    budget_s: float
    # A pair takes about 2.5 s to start; a third of that is measured in it where rounds are short.
    seconds_a_pair: float = 0.75

    @classmethod
    def of(cls, profile: Profile, runtime: Runtime, rounds: int | None = None) -> Sampling:
        """As ``profile`` samples on a runtime; with ``rounds`` as many at least."""
        return cls(spread_on(runtime), rounds or profile.rounds, profile.aim, profile.budget_s)

    @property
    def rounds_a_pair(self) -> int:
        """How many rounds each pair of processes takes at least: an even number, so that they are whole blocks."""
        return 2 * -(-self.rounds // (2 * LEAST_PAIRS))

    def is_enough(self, rounds: Rounds, seconds: float) -> bool:
        """Whether ``rounds``, which took ``seconds``, are enough; the budget is spent where no more pair fits in."""
        if rounds.pairs < LEAST_PAIRS or len(rounds) < self.rounds:
            return False
        after_next = seconds * (rounds.pairs + 1) / rounds.pairs
        return after_next > self.budget_s or half_width(ratio(rounds, self.spread)) <= self.aim


def half_width(ratio: Interval) -> float:
    """Half an interval's width as a share of its value."""
    return ratio.relative_width / 2
