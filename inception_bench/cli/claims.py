"""``inception-bench claims``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.words import Json


def claims(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A results folder: with its verdicts.")] = None,
    why: Annotated[str | None, typer.Option(metavar="ID", help="Explain one claim, such as G-01.")] = None,
    json: Json = False,
) -> None:
    """List what the papers claim, how it is measured here, and what came out; exit code 1 where that is news."""
    from inception_bench.report.claims_answer import claims_text

    text, fine = claims_text(folder, why, json=json, colour=sys.stdout.isatty())
    typer.echo(text)
    if not fine:
        raise typer.Exit(1)
