"""``inception-bench describe``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from inception_bench.cli.words import Json, wide_console


class Comparison(StrEnum):
    """What a description can be held against."""

    paper = "paper"


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

    description = describe_model(model, input_size=input_size, width_mult=width_mult)
    if json:
        typer.echo(report.to_json(description))
    else:
        report.show_description(description, wide_console(), compared=compare is not None)
