"""Claims that are decided by arithmetic on the package's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inception_bench.claims.claim import Claim
from inception_bench.claims.measures import compute
from inception_bench.claims.methods.base import CALCULATION_S, Bench, Stored
from inception_bench.claims.outcome import Outcome, judge_exact, read_outcome
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.records.claim_body import ClaimBody
from inception_bench.records.record import Record
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Profile


@dataclass(frozen=True)
class Exact:
    """Compute the figures by the claim's measure; they are the same on every machine."""

    stores: Stored = "figures"

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """No profile leaves arithmetic out: it takes no time."""
        return None

    def expected_seconds(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> float:
        """One calculation."""
        return CALCULATION_S

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Compute; nothing of the run is needed."""
        return judge_exact(claim, compute(claim))

    def judge(self, claim: Claim, body: ClaimBody, pairs: Mapping[str, Record[PairMeasurement]]) -> Outcome:
        """Judge the stored figures."""
        return read_outcome(claim, body)


EXACT = Exact()
