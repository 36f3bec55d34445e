"""What the suite of claims gets to drive: one claim of the papers as a test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from inception_bench.claims.claim import Claim
from inception_bench.claims.imagenet import answered, deciding_case, judge_error, missing
from inception_bench.claims.measures import compute
from inception_bench.claims.outcome import Outcome, broken, judge_exact, not_run, not_testable
from inception_bench.claims.probes import PROBES, SEEDS
from inception_bench.claims.proxies import PROXIES
from inception_bench.claims.proxy import Course, Proxy, judge_probe, judge_proxy, read_course, read_courses
from inception_bench.claims.proxy_jobs import job_of_arm
from inception_bench.claims.reach import affordable, left_out
from inception_bench.claims.timing import judge_timed
from inception_bench.claims.verdict import NOT_RUN, NOT_TESTABLE
from inception_bench.measure.pairing import named_pairs
from inception_bench.measure.stages import CellStopped
from inception_bench.plugin.items.factorisations import measure_pair, until_narrow
from inception_bench.plugin.run import BenchRun
from inception_bench.plugin.watch import Watch
from inception_bench.processes.process import CallFailed


@dataclass
class ClaimItem:
    """One claim as a test: measures it, keeps the record, and fails where the ledger expects another verdict here."""

    run: BenchRun
    watch: Watch
    claim: Claim
    keeps_record: bool

    def check(self, benchmark: Any) -> None:
        """Measure once, on pytest-benchmark's ordinary clock; a claim that the profile leaves out is skipped."""
        self.watch.begin(self.claim.id)
        earlier = self.run.trained_before(self.claim.id)
        if earlier is not None and self.keeps_record:
            courses = read_courses(earlier.body["courses"])
            outcome = benchmark.pedantic(judge_proxy, args=(self.claim, PROXIES[self.claim.id], courses))
            self.run.take_over(earlier)
        else:
            outcome = replace(benchmark.pedantic(self._outcome), device=self.run.selection.cases[0].runtime.device)
            if self.keeps_record:
                self.run.keep_claim(outcome)
        told = f"; {outcome.remark}" if outcome.is_first else ""
        self.watch.finish(outcome.verdict, (outcome.measured_text or outcome.note) + told)
        if outcome.verdict == NOT_RUN:
            pytest.skip(f"not run: {outcome.note}")
        if not outcome.as_expected:
            pytest.fail(_news(outcome), pytrace=False)

    def _outcome(self) -> Outcome:
        selection = self.run.selection
        why = left_out(self.claim, selection.profile)
        if why is not None:
            return not_run(self.claim, why)
        if self.claim.is_exact:
            return judge_exact(self.claim, compute(self.claim))
        if self.claim.expected == NOT_TESTABLE:
            lacking = missing(self.claim, selection.cases)
            return self._on_imagenet() if lacking is None else not_testable(self.claim, lacking)
        if self.claim.kind == "latency":
            return self._timed() if self.keeps_record else not_run(self.claim, "timing is switched off")
        if self.claim.id in PROBES:
            return judge_probe(self.claim, [PROBES[self.claim.id](seed) for seed in SEEDS])
        return self._trained(PROXIES[self.claim.id])

    def _trained(self, proxy: Proxy) -> Outcome:
        """Train both arms of every seed; an arm that failed costs this claim only."""
        try:
            courses = [
                (self._course(proxy, "treated", seed), self._course(proxy, "reference", seed)) for seed in proxy.seeds
            ]
        except CallFailed as error:
            return broken(self.claim, f"proxy, an arm {error.outcome}: {error}")
        return judge_proxy(self.claim, proxy, courses)

    def _course(self, proxy: Proxy, side: str, seed: int) -> Course:
        self.watch.stage(f"{side}-{seed}")
        job = job_of_arm(proxy, getattr(proxy, side), seed, self.run.selection.cases[0].runtime.threads)
        return read_course(self.run.workshop.training.course(job))

    def _on_imagenet(self) -> Outcome:
        """Error rates of the given network on the given images; measured once for all claims on it."""
        case = deciding_case(self.run.selection.cases)
        if case.id not in self.run.accuracies:
            cell = self.run.cell(case, self.watch.stage)
            try:
                self.run.accuracies[case.id] = answered(cell)
            except CellStopped as stopped:
                return broken(self.claim, f"{stopped.outcome} in stage {stopped.stage!r}: {stopped}")
            finally:
                cell.close()
        return judge_error(self.claim, self.run.accuracies[case.id])

    def _timed(self) -> Outcome:
        """Time every pair of the claim on every runtime; what this run has timed already is not timed again."""
        selection, arguments = self.run.selection, self.claim.arguments
        cases = affordable(selection.cases, selection.profile)
        where = {key: arguments.get(key, ()) for key in ("backends", "batch_sizes")}
        pairs = [pair for name in arguments["pairs"] for pair in named_pairs(name, cases, **where)]
        return judge_timed(self.claim, [measure_pair(self.run, self.watch, pair, until_narrow) for pair in pairs])


def _news(outcome: Outcome) -> str:
    claim = outcome.claim
    note = f"; {outcome.note}" if outcome.note else ""
    return (
        f"{claim.id}: {outcome.verdict}, {outcome.remark}; claimed {claim.claimed_text} "
        f"({claim.tolerance_text}), measured {outcome.measured_text or 'nothing'}{note}"
    )
