"""The command ``inception-bench``. Exit codes: 0 fine, 1 the answer is no, 2 wrong usage.

Each command is a thin shell: values come from the package, rendering from ``report``.
"""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_bench import __version__
from inception_bench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Comparison(str, Enum):
    """What a description can be held against."""

    paper = "paper"


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast."""
    if show:
        typer.echo(f"inception-bench {__version__}")
        raise typer.Exit


@app.command()
def models(
    definitions: Annotated[bool, typer.Option("--definitions", help="List every definition too.")] = False,
    json: Json = False,
) -> None:
    """List the networks: paper, year, input size, params, MACs, published accuracy."""
    from inception_bench.models.describe import summaries
    from inception_bench.report import models as report

    found = summaries(definitions)
    if json:
        typer.echo(report.to_json(found))
    else:
        report.show_summaries(found, _console())


@app.command()
def describe(
    model: Annotated[str, typer.Argument(help="A network, or network@definition.")],
    compare: Annotated[
        Comparison | None, typer.Option(help="Put the paper's printed figures beside and mark what disagrees.")
    ] = None,
    input_size: Annotated[int | None, typer.Option(help="Side of the input in pixels (default: native).")] = None,
    width_mult: Annotated[float, typer.Option(help="Multiplier of every filter count.")] = 1.0,
    json: Json = False,
) -> None:
    """Print a network as its paper's table: a row an end point."""
    from inception_bench.models.describe import describe as describe_model
    from inception_bench.report import models as report

    found = describe_model(model, input_size=input_size, width_mult=width_mult)
    if json:
        typer.echo(report.to_json(found))
    else:
        report.show_description(found, _console(), compared=compare is not None)


@app.command()
def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")],
    json: Json = False,
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
    if json:
        typer.echo(json_module.dumps([asdict(row) for row in made.rows], indent=1))
    else:
        typer.echo(board_text(made, colour=sys.stdout.isatty()))
        typer.echo(f"\nwritten: {folder / 'leaderboard.csv'}, {folder / 'leaderboard.md'}")


def main() -> None:
    """Run the command line; a usage error is one line on stderr and exit code 2."""
    try:
        app()
    except UsageError as error:
        typer.echo(f"inception-bench: {error}", err=True)
        raise SystemExit(2) from None


def _console() -> Console:
    """A console that is wide enough for the tables where the output is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=200)
