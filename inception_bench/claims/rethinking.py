"""Measures of arXiv:1512.00567 and arXiv:1602.07261."""

from __future__ import annotations

import itertools

from inception_bench.claims.branches import branch_layers
from inception_bench.claims.measures import Figures, measure
from inception_bench.claims.networks import is_module, plan_of
from inception_bench.claims.tutorials import modules_by_figure
from inception_bench.models.changes import STEMS, Changes, apply_changes
from inception_bench.models.complexity import complexity, cost
from inception_bench.models.notation import Conv
from inception_bench.models.plan import Linear, Node, layers_of, make_plan
from inception_bench.models.public import find_table

# arXiv:1502.01852, Table 3, model C on 224 pixels: convolutions, then a pyramid of 7x7, 3x3, 2x2 and 1x1 cells.
PRELU_C = " ".join(
    ["7x7/2:96 max2x2/2V", *["3x3:384"] * 6, "max2x2/2V", *["3x3:768"] * 6, "max2x2/2V", *["3x3:896"] * 6]
)
PYRAMID = 7 * 7 + 3 * 3 + 2 * 2 + 1 * 1
CONNECTED = (4096, 4096, 1000)


@measure
def prelu_net_over(model: str) -> Figures:
    """MACs and params of the PReLU network (model C) over those of ``model``."""
    layers = branch_layers(PRELU_C, 3, 224)
    widths = (layers[-1].output.channels * PYRAMID, *CONNECTED)
    linears = [Linear(inputs, outputs) for inputs, outputs in itertools.pairwise(widths)]
    macs = sum(layer.macs() for layer in layers) + sum(linear.macs for linear in linears)
    params = sum(layer.weights + layer.output.channels for layer in layers if isinstance(layer.step, Conv))
    costs = complexity(model)
    return macs / costs.macs, (params + sum(linear.params for linear in linears)) / costs.params_without_aux


@measure
def printed_layout(model: str) -> Figures:
    """Stem convolutions; side, channels and number of modules of the three grids; channels before the classifier."""
    rows = plan_of(model).rows
    stem = sum(isinstance(layer.step, Conv) for row in rows if not is_module(row) for layer in row.layers())
    modules = [row for row in rows if is_module(row) and row.input.height == row.output.height]
    figures: list[float] = [stem]
    for side in sorted({row.input.height for row in modules}, reverse=True):
        group = [row for row in modules if row.input.height == side]
        figures += [side, group[0].input.channels, len(group)]
    return (*figures, rows[-1].output.channels)


@measure
def stem_costs(model: str) -> Figures:
    """MACs with the stems for 151 and 79 pixels over those with the native one."""
    table = find_table(model)
    native = cost(make_plan(table)).macs
    return tuple(cost(make_plan(apply_changes(table, Changes(stem=stem)))).macs / native for stem in STEMS)


@measure
def filters_of_sums(model: str) -> Figures:
    """Channels of the 17x17 and of the 8x8 residual sums."""
    rows = {row.row.paper: row.output.channels for row in plan_of(model).rows if row.up is not None}
    return rows["Fig. 17"], rows["Fig. 19"]


@measure
def reduction_a_widths(models: list[str]) -> Figures:
    """k, l, m, n of Reduction-A in each network: the long branch's three widths, then the 3x3 of stride 2."""
    widths: list[float] = []
    for model in models:
        row = next(row for row in plan_of(model).rows if row.name == "Mixed_6a")
        short, long, _ = (_filters(branch) for branch in row.branches)
        widths += [*long, *short]
    return tuple(widths)


def _filters(branch: tuple[Node, ...]) -> list[int]:
    return [layer.output.channels for layer in layers_of(branch) if isinstance(layer.step, Conv)]


@measure
def layout_v4() -> Figures:
    """How many A, B and C modules Inception-v4 has, and the share that its dropout keeps."""
    head = find_table("inception_v4").head
    return (*modules_by_figure("inception_v4", ["Fig. 4", "Fig. 5", "Fig. 6"]), 1 - head.dropout)


@measure
def elements_of_sums(model: str) -> Figures:
    """Elements that batch normalisation of the residual sums would keep, for one image."""
    sums = [row for row in plan_of(model).rows if row.up is not None]
    return (sum(row.output.channels * row.output.cells for row in sums),)
