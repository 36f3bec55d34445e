"""Training proxies: both arms of a design are trained from several seeds. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inception_bench.claims.claim import Claim
from inception_bench.claims.methods.arms import Arm, Proxy, judge_proxy
from inception_bench.claims.methods.base import CALCULATION, Bench, Stored
from inception_bench.claims.methods.proxies import PROXIES
from inception_bench.claims.outcome import Outcome, broken, read_outcome
from inception_bench.measure.guesses import Guess, Parts
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.models.changes import Changes
from inception_bench.processes.process import CallFailed
from inception_bench.records.claim_body import ClaimBody, Course
from inception_bench.records.record import Record
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Profile
from inception_bench.train.job import Job, Machine
from inception_bench.train.recipes import find_recipe

# Batches on which batch norm statistics are set anew before each look at the accuracy.
RECALIBRATION = 8
# A first guess of how long one training step takes.
_STEP_S = 0.1


def proxies_left_out(profile: Profile) -> str | None:
    """Why a profile measures no claim about training; None where it does. Trainings take hours."""
    if profile.claims == "all":
        return None
    return f"the profile {profile.name} leaves training proxies out; use --inception-profile=full"


@dataclass(frozen=True)
class TrainingProxy:
    """Train what the claim compares at a small scale, seed by seed (see ``arms``)."""

    stores: Stored = "courses"

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """Only the longest profile has time to train."""
        return proxies_left_out(profile)

    def expected_parts(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
        """The steps of two arms a seed; courses stay in the cache."""
        proxy = PROXIES[claim.id]
        return {claim.id: CALCULATION + Guess(build_s=_STEP_S * proxy.steps * 2 * len(proxy.seeds))}

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Train both arms of every seed; an arm that failed costs this claim only."""
        proxy = PROXIES[claim.id]
        try:
            courses = [
                (_train(bench, proxy, "treated", seed), _train(bench, proxy, "reference", seed)) for seed in proxy.seeds
            ]
        except CallFailed as error:
            return broken(claim, f"proxy, an arm {error.outcome}: {error}")
        return judge_proxy(claim, proxy, courses)

    def judge(self, claim: Claim, body: ClaimBody, pairs: Mapping[str, Record[PairMeasurement]]) -> Outcome:
        """Judge the stored courses; there are none where the claim was not run, or an arm failed."""
        if not body.courses:
            return read_outcome(claim, body)
        return judge_proxy(claim, PROXIES[claim.id], body.courses)


PROXY = TrainingProxy()


def _train(bench: Bench, proxy: Proxy, side: str, seed: int) -> Course:
    """The course of one arm; ``side`` is the name of the arm in ``Proxy``."""
    job = job_of_arm(proxy, getattr(proxy, side), seed, bench.cases[0].runtime.threads)
    return bench.train(job, f"{side}-{seed}")


def job_of_arm(proxy: Proxy, arm: Arm, seed: int, threads: int) -> Job:
    """The training of one arm from one seed; equal arms of two proxies are equal jobs, and trained once."""
    recipe = replace(find_recipe(proxy.recipe, arm.model), **{"recalibration": RECALIBRATION, **arm.recipe})
    return Job(
        arm.model,
        proxy.data,
        recipe,
        seed=seed,
        width_mult=arm.width_mult,
        input_size=proxy.input_size,
        max_steps=proxy.steps,
        changes=Changes(**arm.changes) if arm.changes else None,
        paired=True,
        train_images=proxy.train_images,
        evaluate_at=tuple(range(proxy.every, proxy.steps + 1, proxy.every)),
        evaluations=1,
        machine=Machine(threads=threads),
    )
