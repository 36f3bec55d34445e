"""What a command of the gate answers: text, Markdown page, JSON, annotations for GitHub and exit code."""

from __future__ import annotations

import json as json_module
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from inception_bench.gate.duet.result import DuetResult
    from inception_bench.records.coverage_body import CoverageBody
    from inception_bench.records.duet_body import PowerBody
    from inception_bench.records.record import Record
    from inception_bench.report.github import Note


@dataclass(frozen=True)
class Told:
    """An answer in every form in which it is given."""

    text: str
    page: str
    data: dict[str, Any]
    notes: Sequence[Note]
    exit_code: int

    @classmethod
    def of_duet(cls, result: DuetResult) -> Told:
        """What a duet came to, measured now or judged again."""
        from inception_bench.report.duet import duet_json, duet_notes, duet_page, duet_text

        return cls(duet_text(result), duet_page(result), duet_json(result), duet_notes(result), result.exit_code)

    @classmethod
    def of_power(cls, records: Sequence[Record[PowerBody]]) -> Told:
        """What trials of the gate's power came to, run now or judged again."""
        from inception_bench.gate.power.power import exit_code, power_rows
        from inception_bench.report.power import power_json, power_notes, power_page

        rows = power_rows(records)
        page = power_page(rows, records)
        return cls(page, page, power_json(rows), power_notes(rows), exit_code(rows))

    @classmethod
    def of_coverage(cls, records: Sequence[Record[CoverageBody]]) -> Told:
        """What trials of coverage came to, run now or read again."""
        from inception_bench.gate.coverage.rows import coverage_rows, exit_code
        from inception_bench.report.coverage import coverage_json, coverage_notes, coverage_page

        rows, page = coverage_rows(records), coverage_page(records)
        return cls(page, page, coverage_json(records), coverage_notes(rows), exit_code(rows))

    def tell(self, json: bool, markdown: Path | None) -> None:
        """Print the answer, write the page, annotate a job of GitHub Actions, and leave with the exit code."""
        from inception_bench.report.github import annotation_lines, append_summary

        if markdown is not None:
            markdown.write_text(self.page)
        append_summary(self.page, os.environ)
        for line in annotation_lines(self.notes, os.environ):
            typer.echo(line, err=json)
        typer.echo(json_module.dumps(self.data, indent=1) if json else self.text)
        raise typer.Exit(self.exit_code)
