"""``complexity.csv``: what each end point of each counted network costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from inception_bench.measure.counting import network_complexity
from inception_bench.records.record import Record
from inception_bench.spec.case import Case


@dataclass(frozen=True)
class ComplexityRow:
    """One end point. ``fvcore_other`` is what fvcore counts there beside convolutions and linear layers.

    It is None where fvcore was not installed.
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


def complexity_rows(records: Sequence[Record]) -> list[ComplexityRow]:
    """The rows of every network that was counted, in order."""
    found = []
    for record in records:
        if record.kind != "complexity":
            continue
        network = Case.from_json(record.case).network
        costs = network_complexity(network)
        other = record.body["other_by_row"]
        found += [
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
    return found
