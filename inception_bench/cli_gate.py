"""The commands of the gate: ``compare`` and ``baseline``. Thin shells, as in ``cli``."""

from __future__ import annotations

import json as json_module
import os
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")]

baseline = typer.Typer(no_args_is_help=True, help="Keep a run as what later runs are compared with.")


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A stored run: the baseline.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="A stored run: what is judged.")],
    json: Json = False,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the comparison as Markdown too.")] = None,
) -> None:
    """Compare two stored runs: exact facts, and times as far as they can be. Exit 1 on a regression, 2 on a gap."""
    from inception_bench.gate.compare import compare as compare_runs
    from inception_bench.gate.stored_run import load_run
    from inception_bench.report.comparison import comparison_json, comparison_notes, comparison_page, comparison_text
    from inception_bench.report.github import annotation_lines, append_summary

    found = compare_runs(load_run(before), load_run(after))
    if markdown is not None:
        markdown.write_text(comparison_page(found))
    append_summary(comparison_page(found), os.environ)
    for line in annotation_lines(comparison_notes(found), os.environ):
        typer.echo(line, err=json)
    typer.echo(json_module.dumps(comparison_json(found), indent=1) if json else comparison_text(found))
    raise typer.Exit(found.exit_code)


@baseline.command()
def accept(
    folder: Folder,
    why: Annotated[str, typer.Option(help="Why this run is the new baseline, in a sentence.")],
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Copy it there; default: mark it where it is.")] = None,
    who: Annotated[str | None, typer.Option(help="Default: the name that git knows.")] = None,
) -> None:
    """Make a stored run the baseline: who, when and why is written beside its records."""
    from inception_bench.gate.stored_run import accept as accept_run

    accepted = accept_run(folder, why, to, who)
    typer.echo(f"baseline: {to or folder}, run {accepted.run_id}, accepted by {accepted.who}: {accepted.why}")


def add_commands(app: typer.Typer) -> None:
    """Put the gate's commands into the command line."""
    app.command()(compare)
    app.add_typer(baseline, name="baseline")
