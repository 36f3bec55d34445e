"""``inception-bench doctor``."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from inception_bench.cli.words import Json


def doctor(
    json: Json = False,
    python: Annotated[
        list[str] | None, typer.Option("--python", metavar="BACKEND=PYTHON", help="Another interpreter.")
    ] = None,
) -> None:
    """Say of every runtime whether it is ready here, with which precisions, or why not and what to do.

    And below that, what the cache holds.
    """
    from inception_bench.measure.doctor import examine
    from inception_bench.measure.selection import read_pythons
    from inception_bench.report.cache import cache_line
    from inception_bench.report.doctor import doctor_text

    checkups = []
    for checkup in examine(pythons=read_pythons(",".join(python) if python else None)):
        typer.echo(f"{checkup.backend}: {'ready' if checkup.ready else 'not ready'}", err=True)
        checkups.append(checkup)
    if json:
        typer.echo(json_module.dumps([asdict(checkup) for checkup in checkups], indent=1))
    else:
        typer.echo(doctor_text(checkups, colour=sys.stdout.isatty()))
        typer.echo(cache_line())
