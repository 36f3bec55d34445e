"""``inception-bench board``."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.words import Json


def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")],
    json: Json = False,
) -> None:
    """Make the leaderboard of a run again, from its records: also of a run that was interrupted."""
    from inception_bench.records.journal import FILE, TRAIN, Journal
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
        name = "training" if records[-1].run.profile == TRAIN else "leaderboard"
        if name == "leaderboard":
            typer.echo(board_text(made, colour=sys.stdout.isatty()) + "\n")
        typer.echo(f"written: {folder / name}.csv, {folder / name}.md")
