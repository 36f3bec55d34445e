"""Claims that are decided by arithmetic on the package's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_bench.claims.claim import Claim
from inception_bench.claims.measures import compute
from inception_bench.claims.methods.base import CALCULATION, Bench, FiguresStored
from inception_bench.claims.outcome import Outcome, judge_exact
from inception_bench.measure.guesses import Parts
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Profile


@dataclass(frozen=True)
class Exact(FiguresStored):
    """Compute the figures by the claim's measure; they are the same on every machine."""

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """No profile leaves arithmetic out: it takes no time."""
        return None

    def expected_parts(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
        """One calculation."""
        return {claim.id: CALCULATION}

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Compute; nothing of the run is needed."""
        return judge_exact(claim, compute(claim))


EXACT = Exact()
