"""``complexity.csv``: what each end point of each counted network costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from inception_bench.measure.counting import network_complexity
from inception_bench.records.kinds import COMPLEXITY
from inception_bench.records.record import Record


@dataclass(frozen=True)
class ComplexityRow:
    """One end point. ``fvcore_other`` is what fvcore counts in it beside convolutions and linear layers.

    ``fvcore_other`` is None where fvcore was not installed.
    """

    model: str
    definition: str
    row: str
    grid: str
    channels: int
    params: int
    macs: int
    fvcore_other: int | None


COLUMNS = tuple(field.name for field in fields(ComplexityRow))


def complexity_rows(records: Sequence[Record[Any]]) -> list[ComplexityRow]:
    """The rows of every network that was counted, in order."""
    rows = []
    for record in COMPLEXITY.among(records):
        network = record.own_case.network
        costs = network_complexity(network)
        other = record.body.other_by_row
        rows += [
            ComplexityRow(
                network.model,
                network.definition,
                row.row,
                f"{row.grid[0]}x{row.grid[1]}",
                row.channels,
                row.params,
                row.macs,
                other.get(row.row),
            )
            for row in costs.rows
        ]
    return rows
