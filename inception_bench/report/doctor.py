"""Checkups in a terminal: a line a runtime, and why and what to do below."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inception_bench.measure.doctor import Checkup


def doctor_text(checkups: list[Checkup], *, width: int = 110, colour: bool = False) -> str:
    """The table as text, ``width`` columns wide at most."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("backend", "ready", "version", "precisions"):
        table.add_column(head)
    for checkup in checkups:
        state = Text("yes", style="green") if checkup.ready else Text("no", style="yellow")
        table.add_row(checkup.backend, state, _versions(checkup), _precisions(checkup))
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=colour, color_system="standard" if colour else None)
    console.print(table)
    for checkup in checkups:
        if not checkup.ready:
            console.print(Text(f"{checkup.backend}: {checkup.reason}"), soft_wrap=True)
            if checkup.command:
                console.print(Text(f"    to make it ready: {checkup.command}"), soft_wrap=True)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _versions(checkup: Checkup) -> str:
    return ", ".join(f"{name} {version}" for name, version in checkup.versions.items())


def _precisions(checkup: Checkup) -> str:
    lines = [f"{device}: {' '.join(names)}" for device in checkup.refusals if (names := checkup.precisions(device))]
    return "; ".join(lines)
