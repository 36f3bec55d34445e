"""The proof of coverage as a Markdown page and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from inception_bench.gate.coverage.rows import CoverageRow, coverage_rows, exit_code, halves
from inception_bench.records.coverage_body import CoverageBody
from inception_bench.records.record import Record
from inception_bench.report.github import Note
from inception_bench.report.markdown import about, table
from inception_bench.report.text import milliseconds

_HEADS = ("trials", "held", "rate (95 %)", "answer", "median half-width", "median pairs", "median round")
_HOW = """\
Each trial is a cell whose true speed-up is known, timed as a run times it: fresh pairs of processes until the interval
is as narrow as the profile aims at, or the budget is spent. A program beside itself has the speed-up 1. An injected
slow-down is burnt by the partner's worker inside its clock, as a share of each round's own time. `loaded` means that
another process burns one core in bursts for half of the time. `held` counts the 95 % intervals that held the truth;
the rate's own interval is Wilson's. `open`: not all trials are done."""
_HALVES = """\
A fit of the estimator's constants (`scripts/fit_spread.py`: how far two processes of one program differ) may look at
half of the trials of each stratum. These are the others by themselves:"""


def coverage_page(records: Sequence[Record[CoverageBody]]) -> str:
    """The whole page."""
    runs = dict.fromkeys(record.run.run_id for record in records)  # every call of the command is a run
    trials = f"{len(records)} trials, run {', '.join(runs)}."
    parts = ["# Coverage of the intervals", f"{about(records[-1].run)}\n{trials}", _HOW]
    parts.append(_table(coverage_rows(records)))
    proving = halves(records)[1]
    if proving:
        parts += [_HALVES, _table(coverage_rows(proving))]
    return "\n\n".join(parts) + "\n"


def coverage_notes(rows: Sequence[CoverageRow]) -> list[Note]:
    """An error for each rate that is missed."""
    return [
        Note("error", row.name, f"{row.held} of {row.trials} 95 % intervals held the truth")
        for row in rows
        if row.answer == "missed"
    ]


def coverage_json(records: Sequence[Record[CoverageBody]]) -> dict[str, Any]:
    """Plain JSON values."""
    rows = coverage_rows(records)
    proving = coverage_rows(halves(records)[1])
    return {
        "exit_code": exit_code(rows),
        "rows": [{**asdict(row), "answer": row.answer} for row in rows],
        "proving_half": [asdict(row) for row in proving],
    }


def _table(rows: Sequence[CoverageRow]) -> str:
    return table(_HEADS, map(_cells, rows))


def _cells(row: CoverageRow) -> list[str]:
    if row.rate is None:
        return [row.name, f"0 of 0 ({row.wanted} wanted)", "", "", "", "", ""]
    return [
        row.name,
        f"{row.held} of {row.trials}",
        f"{row.rate.value:.1%} ({row.rate.low:.1%} to {row.rate.high:.1%})",
        row.answer,
        f"±{row.half_width:.2%}",
        f"{row.pairs:g}",
        milliseconds(row.round_s),
    ]
