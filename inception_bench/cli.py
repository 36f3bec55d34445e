"""The command ``inception-bench``. Exit codes: 0 fine, 1 the answer is no, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inception_bench import __version__
from inception_bench.errors import UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast."""
    if show:
        typer.echo(f"inception-bench {__version__}")
        raise typer.Exit


@app.command()
def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as one JSON document.")] = False,
) -> None:
    """Make the leaderboard of a run again, from its records: also of a run that was interrupted."""
    from inception_bench.records.journal import FILE, Journal
    from inception_bench.report.console import board_text
    from inception_bench.report.files import prepare_folder, write_results

    records, complaints = Journal(folder / FILE).read()
    for complaint in complaints:
        typer.echo(complaint, err=True)
    prepare_folder(folder)
    made = write_results(folder, records)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in made.rows], indent=1))
    else:
        typer.echo(board_text(made, colour=sys.stdout.isatty()))
        typer.echo(f"\nwritten: {folder / 'leaderboard.csv'}, {folder / 'leaderboard.md'}")


def main() -> None:
    """Run the command line; a usage error is one line and exit code 2."""
    try:
        app()
    except UsageError as error:
        typer.echo(f"inception-bench: {error}", err=True)
        raise SystemExit(2) from None
