"""A run of the suites against a stored one: what ``--inception-baseline`` adds to a session.

The comparison is made once, when all is measured. Each cell then has a test of its own, so that the JUnit report says
which cell got worse; one more test stands for all else (pairs, trainings, counts, claims). Where a user deselects these
tests, the session's exit code still tells of a regression.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inception_bench.errors import UsageError
from inception_bench.gate.stored.compare import Comparison, compare
from inception_bench.gate.stored.measured import list_absent
from inception_bench.gate.stored.stored_run import StoredRun, as_stored, load_run
from inception_bench.plugin.run import BenchRun
from inception_bench.records.kinds import CELL
from inception_bench.report.comparison import comparison_notes, comparison_page, comparison_text
from inception_bench.report.github import annotation_lines, append_summary
from inception_bench.spec.case import Case


@dataclass
class Against:
    """The baseline of a session, and how this run compares with it once that is known."""

    stored: StoredRun
    _comparison: Comparison | str = field(default="", init=False)

    @classmethod
    def open(cls, folder: Path, results: Path, *, timed: bool) -> Against:
        """Read the baseline before anything is measured. Raises UsageError where it cannot be used."""
        if not timed:
            raise UsageError(
                "--inception-baseline compares records, and --benchmark-disable writes none; leave one out"
            )
        if folder.resolve() == results.resolve():
            raise UsageError(f"--inception-baseline={folder} is where this run writes; give --inception-results too")
        return cls(load_run(folder))

    def comparison(self, run: BenchRun) -> Comparison | str:
        """The comparison with the records that ``run`` has written, or why there is none."""
        if not self._comparison:
            try:
                self._comparison = compare(self.stored, as_stored(run.folder, run.kept), subset=True)
            except UsageError as error:
                self._comparison = f"NOT COMPARED with the baseline: {error}"
        return self._comparison

    def judge(self, run: BenchRun, case: Case) -> None:
        """Fail where the cell got worse or was not compared; skip where it is unavailable in both runs."""
        comparison = self._compared(run)
        own = next((cell for cell in comparison.cells if cell.record.case == case), None)
        if own is None:
            is_new = any(record.kind == CELL.name and record.case == case for record in comparison.new)
            where = f"the baseline {self.stored.folder}" if is_new else "this run: run its suite too"
            pytest.fail(f"not compared: {case.id} is not in {where}", pytrace=False)
        if own.regressions:
            pytest.fail("; ".join(own.regressions), pytrace=False)
        if not own.record.body.is_ok:
            pytest.skip(f"{own.record.body.outcome} in the baseline too: nothing to compare")

    def judge_others(self, run: BenchRun) -> None:
        """Fail where anything beside the cells got worse or was not compared.

        Skip where no record of anything else was written: its own tests have then failed and said why.
        """
        comparison = self._compared(run)
        worse = [f"{each.name}: {text}" for each in comparison.others for text in each.regressions]
        new = [record for record in comparison.new if record.kind != CELL.name]
        worse += [f"not compared: {line}" for line in list_absent(new, f"the baseline {self.stored.folder}")]
        if worse:
            pytest.fail("; ".join(worse), pytrace=False)
        if not comparison.others:
            pytest.skip("this run measured nothing beside cells")

    def _compared(self, run: BenchRun) -> Comparison:
        comparison = self.comparison(run)
        if isinstance(comparison, str):
            pytest.fail(comparison, pytrace=False)
        return comparison

    def report(self, run: BenchRun, reporter: Any) -> None:
        """Print the comparison under the board; annotate and summarise it in a job of GitHub Actions."""
        comparison = self.comparison(run)
        reporter.section("against the baseline")
        if isinstance(comparison, str):
            reporter.write_line(comparison)
            return
        reporter.write_line(comparison_text(comparison))
        for line in annotation_lines(comparison_notes(comparison), os.environ):
            reporter.write_line(line)
        append_summary(comparison_page(comparison), os.environ)

    def exit_code(self, run: BenchRun) -> int:
        """1 unless all that was measured was compared and nothing got worse."""
        comparison = self.comparison(run)
        return 1 if isinstance(comparison, str) or comparison.exit_code else 0
