"""The board in a terminal: a short ranked table."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inception_bench.report.board import Board, BoardRow
from inception_bench.report.machine import between_line, machine_line
from inception_bench.report.markdown import interval_name
from inception_bench.report.text import megabytes, milliseconds, ratio

COLOURS = {
    "ok": "green", "unavailable": "yellow", "failed": "red", "mismatch": "red", "timeout": "red", "mislabelled": "red",
}  # fmt: skip


def board_text(board: Board, *, width: int = 110, colour: bool = False) -> str:
    """The ranked table as text, ``width`` columns wide at most."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, justify in (
        ("network", "left"), ("batch", "right"), ("rank", "left"), ("backend", "left"), ("p50", "right"),
        (f"vs eager ({interval_name(board.rows)})", "left"), ("peak RSS", "right"), ("outcome", "left"),
    ):  # fmt: skip
        # rich wants the literals left or right, and mypy sees any text in the loop.
        table.add_column(head, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for group in board.groups():
        for number, row in enumerate(group):
            table.add_row(*_cells(row, first=number == 0), end_section=row is group[-1])
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=colour, color_system="standard" if colour else None)
    console.print(table)
    for row in board.rows:
        if row.outcome != "ok":
            why = Text(f"{row.address} {row.backend_text} {row.precision} b{row.batch_size}: {row.reason}")
            console.print(why, no_wrap=True, overflow="ellipsis")
    machine = filter(None, [machine_line(board), between_line(board.between)])
    return "\n".join([*(line.rstrip() for line in stream.getvalue().splitlines()), *machine])


def impossible_line(row: BoardRow) -> str:
    """Why a row that beats the machine's ceiling fails the run."""
    name = f"{row.address} {row.backend_text} {row.precision} b{row.batch_size}"
    return (
        f"{name}: {row.roofline_fraction:.0%} of the fastest product that was measured beside it: MACs are counted "
        "wrong, or a round is not timed whole"
    )


def _cells(row: BoardRow, first: bool) -> list[str | Text]:
    width = f" w{row.width_mult:g}" if row.width_mult != 1 else ""
    return [
        f"{row.address} {row.input_size}px{width}" if first else "",
        str(row.batch_size) if first else "",
        row.rank or "",
        Text(f"{row.backend_text} {row.precision_text}"),  # brackets are options here, not colours
        milliseconds(row.latency_s_p50),
        ratio(row.speedup) + (" ~" if row.is_wide else ""),
        megabytes(row.peak_rss_bytes),
        Text(row.outcome, style=COLOURS[row.outcome]),
    ]
