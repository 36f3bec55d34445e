"""``inception-bench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.told import Told
from inception_bench.cli.words import Json


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A stored run: the baseline.")],
    after: Annotated[
        Path | None,
        typer.Argument(metavar="B", help="A stored run: what is judged. Without it A is judged alone."),
    ] = None,
    json: Json = False,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the comparison as Markdown too.")] = None,
) -> None:
    """Compare two stored runs: exact facts, and times as far as they can be. Exit 1 on a regression, 2 on a gap.

    With one folder: judge the duet, or the trials of power or coverage in it, again from their raw rounds.
    """
    from inception_bench.gate.duet.result import load_duet
    from inception_bench.gate.stored.compare import compare as compare_runs
    from inception_bench.gate.stored.stored_run import load_run
    from inception_bench.gate.trials import read_trials
    from inception_bench.records.kinds import COVERAGE, POWER
    from inception_bench.report import comparison as report

    if after is None:
        trials, coverage = read_trials(before, POWER), read_trials(before, COVERAGE)
        if coverage:
            told = Told.of_coverage(coverage)
        else:
            told = Told.of_power(trials) if trials else Told.of_duet(load_duet(before))
    else:
        comparison = compare_runs(load_run(before), load_run(after))
        told = Told(
            report.comparison_text(comparison), report.comparison_page(comparison), report.comparison_json(comparison),
            report.comparison_notes(comparison), comparison.exit_code,
        )  # fmt: skip
    told.tell(json, markdown)
