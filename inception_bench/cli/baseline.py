"""``inception-bench baseline``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.words import Folder


def accept(
    folder: Folder,
    why: Annotated[str, typer.Option(help="Why this run is the new baseline, in a sentence.")],
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Copy it there; default: mark it where it is.")] = None,
    who: Annotated[str | None, typer.Option(help="Default: the name that git knows.")] = None,
) -> None:
    """Make a stored run the baseline: who, when and why is written beside its records."""
    from inception_bench.gate.stored.stored_run import accept as accept_run

    accepted = accept_run(folder, why, to, who)
    typer.echo(f"baseline: {to or folder}, run {accepted.run_id}, accepted by {accepted.who}: {accepted.why}")
