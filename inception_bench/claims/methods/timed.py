"""Claims about times: two networks beside each other on several runtimes, and what their ratios say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inception_bench.claims.claim import Claim
from inception_bench.claims.methods.base import Bench, Stored
from inception_bench.claims.outcome import Outcome, judge, not_run, read_outcome
from inception_bench.measure.guesses import Parts, pair_parts
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.measure.pairing import PAIR_ROUNDS, named_pairs
from inception_bench.records.claim_body import INCONCLUSIVE, ClaimBody
from inception_bench.records.pairs import pair_of
from inception_bench.records.record import Record
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import Interval, median
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import Profile

# The timed claims for which a short profile has time, and the runtimes on which it times them: a framework as it is,
# and a runtime that rewrites the graph.
HANDFUL = ("S1-17", "S2-11", "G-08")
HANDFUL_BACKENDS = ("eager", "onnxruntime")


@dataclass(frozen=True)
class Timed:
    """Time every pair of networks that the claim names, on every runtime of the run."""

    stores: Stored = "pairs"

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """A short profile times a handful of claims, the shortest none."""
        if profile.claims in ("timed", "all") or (profile.claims == "handful" and claim.id in HANDFUL):
            return None
        return f"the profile {profile.name} leaves this timed claim out; use --inception-profile=standard"

    def expected_parts(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
        """Those of its pairs."""
        pairs = pairs_of(claim, profile, cases)
        each = [pair_parts(pair, PAIR_ROUNDS) for pair in pairs]
        return {name: guess for parts in each for name, guess in parts.items()}

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Time every pair; the run times a pair once, however many claims name it."""
        if not bench.timed:
            return not_run(claim, "timing is switched off")
        return judge_timed(claim, [bench.time_pair(pair) for pair in pairs_of(claim, bench.profile, bench.cases)])

    def judge(self, claim: Claim, body: ClaimBody, pairs: Mapping[str, Record[PairMeasurement]]) -> Outcome:
        """Judge the rounds of the stored pairs; there are none where the claim was not run."""
        if not body.pairs:
            return read_outcome(claim, body)
        return judge_timed(claim, [pairs[name] for name in body.pairs])


TIMED = Timed()


def affordable(cases: Sequence[Case], profile: Profile) -> list[Case]:
    """The cases on whose runtimes a profile times claims: a short one takes two runtimes, where it has them."""
    few = [case for case in cases if case.runtime.backend in HANDFUL_BACKENDS]
    return few if profile.claims == "handful" and few else list(cases)


def pairs_of(claim: Claim, profile: Profile, cases: Sequence[Case]) -> list[Pair]:
    """The pairs that a run over ``cases`` times for a claim; the ledger may name its own runtimes and batch sizes."""
    own = {key: claim.arguments.get(key, ()) for key in ("backends", "batch_sizes")}
    few = affordable(cases, profile)
    return [pair for name in claim.arguments["pairs"] for pair in named_pairs(name, few, **own)]


def judge_timed(claim: Claim, records: Sequence[Record[PairMeasurement]]) -> Outcome:
    """The verdict on a claim of times: it must hold, or fail, on every runtime and batch size that was timed.

    ``records`` are those of its pairs, all of one run and so of one device, whose expectation counts. A pair whose
    runtime is not installed is left out; where a pair failed, nothing is decided.
    """
    outcome = _judge(claim, records)
    return replace(outcome, device=records[0].own_case.runtime.device) if records else outcome


def _judge(claim: Claim, records: Sequence[Record[PairMeasurement]]) -> Outcome:
    ids = tuple(pair_of(record).id for record in records)
    failed = [record for record in records if record.body.outcome not in ("ok", "unavailable")]
    if failed:
        reasons = [f"{pair_of(record).id} {record.body.outcome}: {record.body.reason}" for record in failed]
        return Outcome(claim, INCONCLUSIVE, note="; ".join(reasons), pairs=ids)
    timed = [record for record in records if record.body.outcome == "ok"]
    figures, notes = [], []
    for name in claim.arguments["pairs"]:
        ratios = {_place(record): speedup(record) for record in timed if record.body.pair == name}
        if not ratios:
            return not_run(claim, f"no runtime here could time {name}")
        figures.append(_over_all(list(ratios.values())))
        notes.append(f"{name}: " + ", ".join(f"{place} {ratio.value:.2f}" for place, ratio in ratios.items()))
    return replace(judge(claim, figures, "; ".join(notes)), pairs=ids)


def _over_all(ratios: Sequence[Interval]) -> Interval:
    """One figure for several runtimes: the median of their ratios, from their lowest bound to their highest.

    Runtimes that disagree so span the boundary of the claim, and it is undecided.
    """
    middle = median([ratio.value for ratio in ratios])
    return Interval(middle, min(ratio.low for ratio in ratios), max(ratio.high for ratio in ratios))


def _place(record: Record[PairMeasurement]) -> str:
    case = record.own_case
    return f"{case.runtime.text} b{case.runtime.batch_size}"
