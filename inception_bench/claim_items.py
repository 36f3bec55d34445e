"""What the suite of claims gets to drive: one claim of the papers as a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from inception_bench.claims.claim import Claim
from inception_bench.claims.measures import compute
from inception_bench.claims.outcome import Outcome, judge_exact, not_run, not_testable
from inception_bench.claims.probes import PROBES, SEEDS
from inception_bench.claims.proxy import judge_probe
from inception_bench.claims.reach import affordable, left_out
from inception_bench.claims.timing import judge_timed
from inception_bench.claims.verdict import NOT_RUN, NOT_TESTABLE
from inception_bench.measure.pairing import named_pairs
from inception_bench.pair_items import in_a_row, measure_pair
from inception_bench.run import BenchRun
from inception_bench.watch import Watch


@dataclass
class ClaimItem:
    """One claim as a test: measures it, keeps the record, and fails where the verdict is not the ledger's."""

    run: BenchRun
    watch: Watch
    claim: Claim
    keeps_record: bool

    def check(self, benchmark: Any) -> None:
        """Measure once, on pytest-benchmark's ordinary clock; a claim that the profile leaves out is skipped."""
        self.watch.begin(self.claim.id)
        outcome = benchmark.pedantic(self._outcome)
        if self.keeps_record:
            self.run.keep_claim(outcome)
        self.watch.finish(outcome.verdict, outcome.measured_text or outcome.note)
        if outcome.verdict == NOT_RUN:
            pytest.skip(f"not run: {outcome.note}")
        if not outcome.as_expected:
            pytest.fail(_news(outcome), pytrace=False)

    def _outcome(self) -> Outcome:
        why = left_out(self.claim, self.run.selection.profile)
        if why is not None:
            return not_run(self.claim, why)
        if self.claim.is_exact:
            return judge_exact(self.claim, compute(self.claim))
        if self.claim.expected == NOT_TESTABLE:
            return not_testable(self.claim)
        if self.claim.kind == "latency":
            return self._timed() if self.keeps_record else not_run(self.claim, "timing is switched off")
        if self.claim.id in PROBES:
            return judge_probe(self.claim, [PROBES[self.claim.id](seed) for seed in SEEDS])
        return not_run(self.claim, "this version trains no proxy for it yet")

    def _timed(self) -> Outcome:
        """Time every pair of the claim on every runtime; what this run has timed already is not timed again."""
        selection, arguments = self.run.selection, self.claim.arguments
        cases = affordable(selection.cases, selection.profile)
        where = {key: arguments.get(key, ()) for key in ("backends", "batch_sizes")}
        pairs = [pair for name in arguments["pairs"] for pair in named_pairs(name, cases, **where)]
        return judge_timed(self.claim, [measure_pair(self.run, self.watch, pair, in_a_row) for pair in pairs])


def _news(outcome: Outcome) -> str:
    claim = outcome.claim
    note = f"; {outcome.note}" if outcome.note else ""
    return (
        f"{claim.id}: {outcome.verdict}, expected {outcome.expected}; claimed {claim.claimed_text} "
        f"({claim.tolerance_text}), measured {outcome.measured_text or 'nothing'}{note}"
    )
