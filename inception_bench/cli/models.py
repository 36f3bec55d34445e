"""``inception-bench models``."""

from __future__ import annotations

from typing import Annotated

import typer

from inception_bench.cli.words import Json, wide_console


def models(
    definitions: Annotated[bool, typer.Option("--definitions", help="List every definition too.")] = False,
    json: Json = False,
) -> None:
    """List the networks: paper, year, input size, params, MACs, published accuracy."""
    from inception_bench.models.describe import summaries
    from inception_bench.report import models as report

    networks = summaries(definitions)
    if json:
        typer.echo(report.to_json(networks))
    else:
        report.show_summaries(networks, wide_console())
