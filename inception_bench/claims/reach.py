"""How far a profile goes into the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from inception_bench.claims.claim import Claim
from inception_bench.claims.proxies import PROXIES
from inception_bench.claims.verdict import NOT_TESTABLE
from inception_bench.spec.case import Case
from inception_bench.spec.profile import DEFAULT_PROFILE, PROFILES, Profile

# The timed claims that a short run can afford.
HANDFUL = ("S1-17", "S2-11", "G-08")
# First guesses for a progress line: of one calculation, one timed pair of networks, one training step.
_CALCULATION_S, _PAIR_S, _STEP_S = 0.1, 20.0, 0.1
# And where: a framework as it is, and a runtime that rewrites the graph.
HANDFUL_BACKENDS = ("eager", "onnxruntime")


def left_out(claim: Claim, profile: Profile) -> str | None:
    """Why ``profile`` does not measure ``claim``, and which one does; None where it does."""
    if claim.is_exact or claim.expected == NOT_TESTABLE or profile.claims == "all":
        return None
    if claim.kind == "latency":
        if profile.claims == "timed" or (profile.claims == "handful" and claim.id in HANDFUL):
            return None
        return f"the profile {profile.name} leaves this timed claim out; use --inception-profile=standard"
    return f"the profile {profile.name} leaves training proxies out; use --inception-profile=full"


def expected_seconds(claim: Claim, profile: Profile, cases: Sequence[Case]) -> float:
    """A first guess at how long checking a claim takes; ``cases`` are the run's, of which one a runtime counts."""
    if left_out(claim, profile) is not None or claim.is_exact or claim.expected == NOT_TESTABLE:
        return _CALCULATION_S
    if claim.kind == "latency":
        backends = {(case.runtime.text, case.runtime.batch_size) for case in affordable(cases, profile)}
        return _PAIR_S * len(claim.arguments["pairs"]) * len(backends)
    if claim.id not in PROXIES:
        return _PAIR_S
    proxy = PROXIES[claim.id]
    return _STEP_S * proxy.steps * 2 * len(proxy.seeds)


def affordable(cases: Sequence[Case], profile: Profile) -> list[Case]:
    """The cases on whose runtimes a profile times claims: a short one takes two runtimes, where it has them."""
    few = [case for case in cases if case.runtime.backend in HANDFUL_BACKENDS]
    return few if profile.claims == "handful" and few else list(cases)


def least_profile(claim: Claim) -> str:
    """The shortest profile that measures a claim; empty where the default does."""
    if left_out(claim, PROFILES[DEFAULT_PROFILE]) is None:
        return ""
    return next(profile.name for profile in PROFILES.values() if left_out(claim, profile) is None)
