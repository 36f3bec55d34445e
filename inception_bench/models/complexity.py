"""What a network costs, by arithmetic on its table: params and MACs, one row for each end point."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.models.plan import Plan, make_plan
from inception_bench.models.public import find_table

CLASSIFIER_ROW = "Logits"


@dataclass(frozen=True)
class RowCost:
    """One end point: its output grid (rows, columns), channels, params, and MACs for one image."""

    row: str
    grid: tuple[int, int]
    channels: int
    params: int
    macs: int


@dataclass(frozen=True)
class Complexity:
    """A network's cost. ``params`` includes aux heads where they were asked for; ``macs`` never does."""

    params: int
    params_without_aux: int
    macs: int
    rows: tuple[RowCost, ...]


def complexity(
    name: str, *, input_size: int | None = None, width_mult: float = 1.0, num_classes: int = 1000, aux: bool = False
) -> Complexity:
    """Params and MACs of ``name`` (or ``name@definition``), without torch.

    ``input_size`` is the image's side in pixels (default: the native one). MACs are
    multiply-accumulates of convolutions and linear layers for one image, aux heads off; params are
    what torch's ``numel`` counts. Raises UsageError for an unknown name or a size under the least, and
    ValueError where aux heads are asked of a network that has none.
    """
    table = find_table(name)
    if aux and not table.aux:
        raise ValueError(f"{table.address} has no aux heads; leave aux=False")
    return cost(make_plan(table, input_size=input_size, width_mult=width_mult, num_classes=num_classes, aux=aux))


def cost(plan: Plan) -> Complexity:
    """The cost of a plan, row by row."""
    style, rows = plan.table.style, []
    for row in plan.rows:
        layers = row.layers()
        rows.append(
            RowCost(
                row.name,
                (row.output.height, row.output.width),
                row.output.channels,
                sum(layer.params(style) for layer in layers),
                sum(layer.macs() for layer in layers),
            )
        )
    rows.append(RowCost(CLASSIFIER_ROW, (1, 1), plan.head.outputs, plan.head.params, plan.head.macs))
    params = sum(row.params for row in rows)
    heads = sum(head.params(style) for head in plan.aux)
    return Complexity(params + heads, params, sum(row.macs for row in rows), tuple(rows))
