"""What several verbs share: options that they have in common, a console, and where usage errors end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")]


def wide_console() -> Console:
    """A console that is wide enough for the tables where the output is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=200)


# Fields of a request that are an argument of the command and not an option.
_ARGUMENTS = {"results": "the argument DIR"}


def named(field: str) -> str:
    """What a field of a request is called on the command line."""
    return _ARGUMENTS.get(field, f"--{field.replace('_', '-')}")
