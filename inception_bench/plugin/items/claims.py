"""What the suite of claims drives: one claim of the papers as a test."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from inception_bench.claims.claim import Claim
from inception_bench.claims.methods.choice import judge_stored, measure_claim
from inception_bench.claims.methods.imagenet import answered
from inception_bench.claims.outcome import Outcome
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.plugin.items.base import Ending, Item
from inception_bench.plugin.items.factorisations import measure_pair
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.records.claim_body import NOT_RUN, ClaimBody, Course
from inception_bench.records.record import Record
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import Profile
from inception_bench.train.job import Job


@dataclass(frozen=True)
class RunBench:
    """This run as a method of deciding claims sees it: a ``Bench`` (see ``claims/methods/base.py``)."""

    run: BenchRun
    watch: Watch
    timed: bool

    @property
    def profile(self) -> Profile:
        return self.run.selection.profile

    @property
    def cases(self) -> Sequence[Case]:
        return self.run.selection.cases

    def time_pair(self, pair: Pair) -> Record[PairMeasurement]:
        """Timed once a run, whoever asks: another claim, or the suite of modules."""
        return measure_pair(self.run, self.watch, pair)

    def train(self, job: Job, stage: str) -> Course:
        """Trained once: the course is in the cache afterwards."""
        self.watch.stage(stage)
        return Course.from_json(self.run.workshop.training.course(job))

    def answers(self, case: Case) -> Counts:
        """Asked once a run for all claims about the network."""
        if case.id not in self.run.accuracies:
            with closing(self.run.cell(case, self.watch.stage)) as cell:
                self.run.accuracies[case.id] = answered(cell)
        return self.run.accuracies[case.id]


@dataclass
class ClaimItem(Item[Outcome, ClaimBody]):
    """One claim as a test: it fails where the ledger expects another verdict on this device."""

    claim: Claim

    def check(self, benchmark: Any) -> None:
        """Measure once, on pytest-benchmark's ordinary clock; a claim that the profile leaves out is skipped."""
        self._drive(benchmark)

    @property
    def _name(self) -> str:
        return self.claim.id

    def _from_earlier(self, benchmark: Any) -> Ending | None:
        earlier = self.run.trained_before(self.claim.id)
        if earlier is None:
            return None
        outcome = benchmark.pedantic(judge_stored, args=(self.claim, earlier.body, {}))
        return self._ending(outcome, self.run.take_over(earlier))

    def _measure(self, benchmark: Any) -> Outcome:
        bench = RunBench(self.run, self.watch, self.timed)
        outcome: Outcome = benchmark.pedantic(lambda: measure_claim(self.claim, bench))
        return outcome

    def _keep(self, measured: Outcome) -> Record[ClaimBody]:
        return self.run.keep_claim(measured)

    def _ending(self, measured: Outcome, record: Record[ClaimBody] | None) -> Ending:
        remark = f"; {measured.remark}" if measured.is_first else ""
        line = (measured.measured_text or measured.note) + remark
        if measured.verdict == NOT_RUN:
            return Ending(measured.verdict, line, skipped=f"not run: {measured.note}")
        return Ending(measured.verdict, line, failure="" if measured.as_expected else _news(measured))


def _news(outcome: Outcome) -> str:
    claim = outcome.claim
    note = f"; {outcome.note}" if outcome.note else ""
    return (
        f"{claim.id}: {outcome.verdict}, {outcome.remark}; claimed {claim.claimed_text} "
        f"({claim.tolerance_text}), measured {outcome.measured_text or 'nothing'}{note}"
    )
