"""What the suite of comparisons drives: one cell, or all else that was measured, against the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.plugin.against import Against
from inception_bench.plugin.run import BenchRun
from inception_bench.spec.case import Case


@dataclass
class RegressionItem:
    """The comparison of a cell, or (None) of all else that the session measured, as a test."""

    run: BenchRun
    against: Against
    case: Case | None

    def check(self) -> None:
        """Nothing about it may be worse than in the baseline."""
        if self.case is None:
            self.against.judge_others(self.run)
        else:
            self.against.judge(self.run, self.case)
