"""Measures of arXiv:1502.03167."""

from __future__ import annotations

from dataclasses import replace

from inception_bench.claims.branches import branch_layers, cost_of
from inception_bench.claims.measures import Figures, measure
from inception_bench.claims.networks import conv_elements, is_module, longest_chain, plan_of
from inception_bench.models.complexity import Complexity, cost
from inception_bench.models.notation import Branch, Conv, Step
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table
from inception_bench.models.table import Table

# GoogLeNet's first convolution, and the paper's separable one with channel multiplier 8 (its appendix).
PLAIN, SEPARABLE = "7x7/2:64", "7x7/2:x8B 1x1:64"


def with_two_3x3(table: Table) -> Table:
    """The table with every 5x5 as two 3x3 of its width."""
    rows = {name: row.with_branches(*(_split(branch) for branch in row.branches)) for name, row in table.rows.items()}
    return replace(table, rows=rows)


def _split(branch: Branch) -> Branch:
    steps: list[Step] = []
    for step in branch:
        if isinstance(step, Conv) and step.kernel == (5, 5):
            steps += [replace(step, kernel=(3, 3))] * 2
        else:
            steps.append(step)
    return tuple(steps)


@measure
def deeper_with_two_3x3(model: str) -> Figures:
    """Weighted layers that the longest way gains where every 5x5 becomes two 3x3."""
    table = find_table(model)
    return (longest_chain(make_plan(with_two_3x3(table))) - longest_chain(make_plan(table)),)


@measure
def growth_with_plain_stem(what: str) -> Figures:
    """BN-Inception over GoogLeNet, less one, both with the plain 7x7; ``what`` is params or macs."""
    table, googlenet = find_table("bn_inception"), find_table("googlenet")
    first = next(iter(table.rows))
    plain = replace(table, rows=table.rows | {first: table.rows[first].with_branches(PLAIN)})
    return (getattr(_cost(plain), what) / getattr(_cost(googlenet), what) - 1,)


def _cost(table: Table) -> Complexity:
    return cost(make_plan(table))


@measure
def modules_on_grid(models: list[str], grid: int) -> Figures:
    """How many modules of each network read a map of that side, and how many of the last have stride 2."""
    modules = [[row for row in plan_of(model).rows if is_module(row)] for model in models]
    strided = sum(row.output.height < row.input.height for row in modules[-1])
    return (*(sum(row.input.height == grid for row in rows) for rows in modules), strided)


@measure
def row_channels(model: str, rows: list[str]) -> Figures:
    """The output channels of the named end points."""
    channels = {row.name: row.output.channels for row in plan_of(model).rows}
    return tuple(channels[name] for name in rows)


@measure
def norm_params_per_channel(model: str) -> Figures:
    """What batch normalisation adds in params, a channel of its convolutions."""
    plan = plan_of(model)
    layers = [layer for row in plan.rows for layer in row.layers() if isinstance(layer.step, Conv)]
    added = sum(layer.params(plan.table.style) - layer.weights for layer in layers)
    return (added / sum(layer.output.channels for layer in layers),)


@measure
def plain_over_separable_macs() -> Figures:
    """MACs of the plain first convolution over those of the separable one, on 224 pixels."""
    return (cost_of(PLAIN, 3, 224, "macs") / cost_of(SEPARABLE, 3, 224, "macs"),)


@measure
def separable_over_plain_elements() -> Figures:
    """Convolution outputs of the separable first convolution over those of the plain one."""
    return (conv_elements(branch_layers(SEPARABLE, 3, 224)) / conv_elements(branch_layers(PLAIN, 3, 224)),)
