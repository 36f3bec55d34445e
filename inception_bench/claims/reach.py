"""How far a profile goes into the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from inception_bench.claims.claim import Claim
from inception_bench.claims.verdict import NOT_TESTABLE
from inception_bench.spec.case import Case
from inception_bench.spec.profile import DEFAULT_PROFILE, PROFILES, Profile

# The timed claims that a short run can afford.
HANDFUL = ("S1-17", "S2-11", "G-08")
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


def affordable(cases: Sequence[Case], profile: Profile) -> list[Case]:
    """The cases on whose runtimes a profile times claims: a short one takes two runtimes, where it has them."""
    few = [case for case in cases if case.backend in HANDFUL_BACKENDS]
    return few if profile.claims == "handful" and few else list(cases)


def least_profile(claim: Claim) -> str:
    """The shortest profile that measures a claim; empty where the default does."""
    if left_out(claim, PROFILES[DEFAULT_PROFILE]) is None:
        return ""
    return next(profile.name for profile in PROFILES.values() if left_out(claim, profile) is None)
