"""The command line. Each command is a thin shell: values come from the package, rendering from report."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from inception_bench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Comparison(str, Enum):
    """What a description can be held against."""

    paper = "paper"


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
        print(report.to_json(found))
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
        print(report.to_json(found))
    else:
        report.show_description(found, _console(), compared=compare is not None)


def main() -> None:
    """Run the command line. A UsageError is one line on stderr and exit code 2."""
    try:
        app()
    except UsageError as error:
        print(f"inception-bench: {error}", file=sys.stderr)
        sys.exit(2)


def _console() -> Console:
    """A console that is wide enough for the tables where the output is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=200)
