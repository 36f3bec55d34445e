"""The list of networks and the description of one, for a terminal (rich) and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from inception_bench.models.describe import TOLERANCES, Description, Line, Summary
from inception_bench.models.printed import K_PARAMS, Printed


def to_json(value: Description | list[Summary]) -> str:
    """The value as one JSON document; what is unknown is null."""
    data: Any = [asdict(item) for item in value] if isinstance(value, list) else asdict(value)
    return json.dumps(data, indent=2)


def show_summaries(summaries: list[Summary], console: Console) -> None:
    """A line a network."""
    table = Table(title="Networks")
    for name in ("model", "paper", "year"):
        table.add_column(name, no_wrap=True)
    for name in ("input", "params", "MACs", "top-1", "top-5"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("accuracy from")
    for item in summaries:
        name = f"{item.model}@{item.definition}" if item.definition else item.model
        table.add_row(
            name + (" (baseline)" if item.baseline else ""),
            item.source,
            str(item.year or ""),
            str(item.input_size),
            f"{item.params:,}",
            f"{item.macs:,}",
            _share(item.published.top1),
            _share(item.published.top5),
            item.published.source,
        )
    console.print(table)


def show_description(description: Description, console: Console, *, compared: bool) -> None:
    """The table of one network; ``compared`` puts the paper's figures beside it and marks what disagrees."""
    table = Table()
    for name in ("end point", "paper", "type", "kernel/stride"):
        table.add_column(name)
    table.add_column("output", justify="right", no_wrap=True)
    table.add_column("branches", overflow="fold")
    for name in ("params", "MACs", *(("paper prints", "disagrees") if compared else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for line in description.lines:
        table.add_row(*_cells(line, compared), style="bold red" if compared and line.disagrees else "")
    console.print(Group(*_heading(description), table, *_footing(description, compared)))


def _cells(line: Line, compared: bool) -> list[str | Text]:
    cells = [line.row, line.paper, line.kind, line.kernel, _shape(line.output)]
    figures = ["\n".join(line.branches), f"{line.params:,}", f"{line.macs:,}"]
    comparison = [_printed(line.printed), ", ".join(line.disagrees)] if compared else []
    return [Text(cell) for cell in (*cells, *figures, *comparison)]  # Text: a notation is no markup


def _heading(description: Description) -> list[Text]:
    address = f"{description.model}@{description.definition}" if description.definition else description.model
    source = ", ".join(str(part) for part in (description.source, description.year) if part)
    lines = [f"{address}: {description.title} ({source})"]
    if description.note:
        lines.append(description.note)
    lines.append(f"input {description.input_size} pixels, the least {description.least_input}")
    return [Text(line) for line in lines]


def _footing(description: Description, compared: bool) -> list[Text]:
    lines = [f"params {description.params:,}, MACs {description.macs:,}"]
    if description.aux:
        lines.append(f"params {description.params_with_aux:,} with aux heads on {', '.join(description.aux)}")
    published = description.published
    if published.source:
        accuracy = f"top-1 {_share(published.top1) or 'not given'}, top-5 {_share(published.top5) or 'not given'}"
        lines.append(f"published: {accuracy} ({published.source})")
    if compared:
        lines += _comparison(description)
    return [Text(line) for line in lines]


def _comparison(description: Description) -> list[str]:
    apart = [f"{line.row} ({line.paper}: {', '.join(line.disagrees)})" for line in description.lines if line.disagrees]
    lines = [f"tolerance: {TOLERANCES}"]
    if not any(line.printed for line in description.lines):
        lines.append("the paper prints no figures for these rows")
    elif apart:
        lines.append(f"rows that disagree with the paper: {'; '.join(apart)}")
    else:
        lines.append("every row agrees with the paper")
    sums = description.printed
    for name, said, own in (("params", sums.params, description.params), ("macs", sums.macs, description.macs)):
        if said is not None:
            verdict = "disagrees" if name in description.disagrees else "agrees"
            lines.append(f"sum of {name} in the paper: {said:,.0f}, here {own:,}: {verdict}")
    return lines


def _printed(printed: Printed) -> str:
    words = [_shape(printed.output)] if printed.output else []
    if printed.params is not None:
        words.append(f"{printed.params / K_PARAMS:g}K")
    if printed.macs is not None:
        words.append(f"{printed.macs / 1e6:g}M")
    if printed.rows is not None:
        words.append(f"x{printed.rows}")
    return " ".join(words)


def _shape(output: tuple[int, int, int]) -> str:
    return "x".join(str(length) for length in output)


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
