"""Which method decides a claim, and what follows: what a profile reaches, how long it takes, what a record says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inception_bench.claims.claim import Claim
from inception_bench.claims.methods.base import CALCULATION, Bench, Method, Stored
from inception_bench.claims.methods.exact import EXACT
from inception_bench.claims.methods.imagenet import IMAGENET
from inception_bench.claims.methods.probe import PROBE, PROBES
from inception_bench.claims.methods.proxy import PROXY
from inception_bench.claims.methods.timed import TIMED, pairs_of
from inception_bench.claims.outcome import Outcome, not_run
from inception_bench.measure.guesses import Parts
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.records.claim_body import NOT_TESTABLE, ClaimBody
from inception_bench.records.record import Record
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import DEFAULT_PROFILE, PROFILES, Profile

# Who reads a record that was measured in another way than the ledger now has for its claim.
_READERS: Mapping[Stored, Method] = {"figures": EXACT, "pairs": TIMED, "courses": PROXY}


def method_of(claim: Claim) -> Method:
    """The method that decides a claim, by what the ledger says of it."""
    if claim.is_exact:
        return EXACT
    if claim.expected == NOT_TESTABLE:
        return IMAGENET
    if claim.kind == "latency":
        return TIMED
    return PROBE if claim.id in PROBES else PROXY


def left_out(claim: Claim, profile: Profile) -> str | None:
    """Why ``profile`` does not measure ``claim``, and which profile does; None where it does."""
    return method_of(claim).left_out(claim, profile)


def least_profile(claim: Claim) -> str:
    """The shortest profile that measures a claim; empty where the default does."""
    if left_out(claim, PROFILES[DEFAULT_PROFILE]) is None:
        return ""
    return next(profile.name for profile in PROFILES.values() if left_out(claim, profile) is None)


def expected_parts(claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
    """First guesses at how long checking a claim takes in a run over ``cases``; to leave one out takes no time."""
    method = method_of(claim)
    if method.left_out(claim, profile) is not None:
        return {claim.id: CALCULATION}
    return method.expected_parts(claim, profile, cases)


def measure_claim(claim: Claim, bench: Bench) -> Outcome:
    """Measure a claim in a run, or say why its profile leaves it out."""
    method = method_of(claim)
    why = method.left_out(claim, bench.profile)
    outcome = method.measure(claim, bench) if why is None else not_run(claim, why)
    return replace(outcome, device=bench.cases[0].runtime.device)


def timed_pairs(claim: Claim, profile: Profile, cases: Sequence[Case]) -> list[Pair]:
    """The pairs that a run over ``cases`` times for a claim; none where its profile leaves the claim out."""
    if method_of(claim) is not TIMED or TIMED.left_out(claim, profile) is not None:
        return []
    return pairs_of(claim, profile, cases)


def judge_stored(claim: Claim, body: ClaimBody, pairs: Mapping[str, Record[PairMeasurement]]) -> Outcome:
    """The outcome that the record of a claim holds (see ``Method.judge``).

    The claim's own method reads it, unless the record holds what that method does not store: an earlier version of
    the ledger then had it measured in another way, and a method that stores such values reads them.
    """
    method, held = method_of(claim), _held(body)
    reader = method if held in (None, method.stores) else _READERS[held]
    return reader.judge(claim, body, pairs)


def _held(body: ClaimBody) -> Stored | None:
    """What a record holds; None where nothing was measured. A record that has pairs or courses has no figures."""
    if body.pairs:
        return "pairs"
    if body.courses:
        return "courses"
    return "figures" if body.figures else None
