"""Measures of what the tutorials say about networks' definitions."""

from __future__ import annotations

import itertools
from collections import Counter

from inception_bench.claims.branches import cost_of, projection_of
from inception_bench.claims.measures import Figures, measure
from inception_bench.claims.networks import is_module, plan_of
from inception_bench.models.complexity import CLASSIFIER_ROW, complexity
from inception_bench.models.notation import Conv
from inception_bench.models.plan import Linear, Shape, plan_row
from inception_bench.models.public import find_table
from inception_bench.models.table import Row, Style


@measure
def aux_weights(model: str) -> Figures:
    """The loss weight of each auxiliary head."""
    return tuple(aux.loss_weight for aux in find_table(model).aux)


@measure
def losses(model: str) -> Figures:
    """How many losses a network has in training, and the weight of each auxiliary one."""
    weights = aux_weights(model)
    return (len(weights) + 1, *weights)


@measure
def modules_that_keep_share(model: str, branch: int) -> Figures:
    """How many modules have at least the share of that branch that the module before has."""
    modules = [row for row in plan_of(model).rows if is_module(row)]
    shares = [row.branches[branch][-1].output.channels / row.output.channels for row in modules]
    return (sum(later >= earlier for earlier, later in itertools.pairwise(shares)),)


@measure
def naive_over_reduced() -> Figures:
    """MACs without the 1x1 reductions over those with them: module 3a, and the whole network."""
    naive, reduced = complexity("googlenet_naive"), complexity("googlenet")
    first = [next(row.macs for row in costs.rows if row.row == "Mixed_3b") for costs in (naive, reduced)]
    return first[0] / first[1], naive.macs / reduced.macs


@measure
def modules_by_figure(model: str, figures: list[str]) -> Figures:
    """How many modules of a network stand under each figure of its paper, reductions left out."""
    rows = plan_of(model).rows
    counts = Counter(row.row.paper for row in rows if row.input.height == row.output.height)
    return tuple(counts[figure] for figure in figures)


@measure
def stem_convolutions(model: str) -> Figures:
    """How many convolutions stand before the first pool, and the largest kernel among them."""
    kernels = []
    for row in plan_of(model).rows:
        steps = [layer.step for layer in row.layers()]
        if not all(isinstance(step, Conv) for step in steps):
            break
        kernels += [max(step.kernel) for step in steps if isinstance(step, Conv)]
    return len(kernels), max(kernels)


# arXiv:1512.00567, Table 3: what each row adds to the one above it.
TABLE_3 = ("GoogLeNet", "BN GoogLeNet", "BN-Inception", "Inception-v2", "RMSProp", "Label Smoothing",
           "Factorized 7x7", "BN-auxiliary")  # fmt: skip


@measure
def changes_to_v3() -> Figures:
    """The rows of Table 3 below Inception-v2: what makes it Inception-v3."""
    return (len(TABLE_3) - 1 - TABLE_3.index("Inception-v2"),)


# Where each figure's module first stands in both Inception-ResNets.
_KINDS = ("Block35_1", "Mixed_6a", "Block17_1", "Mixed_7a", "Block8_1")


@measure
def modules_apart(first: str, second: str) -> Figures:
    """How many kinds of module have other widths, and the params after the stem, second over first."""
    one, other = find_table(first).rows, find_table(second).rows
    apart = sum(one[name].branches != other[name].branches for name in _KINDS)
    return apart, _after_stem(second) / _after_stem(first)


def _after_stem(model: str) -> int:
    rows = complexity(model).rows
    start = next(number for number, row in enumerate(rows) if row.row == _KINDS[0])
    return sum(row.params for row in rows[start:] if row.row != CLASSIFIER_ROW)


@measure
def flat_over_pooled(channels: int, grid: int, classes: int) -> Figures:
    """Params of a linear layer on the flat map over those of one on its average."""
    return (Linear(channels * grid * grid, classes).params / Linear(channels, classes).params,)


@measure
def same_padding_before(strides: list[str], grid: int) -> Figures:
    """Cells that TensorFlow's "same" puts before a map, for each ``KERNEL/STRIDE``."""
    style = Style(bias=False, norm_eps=None, same="tensorflow")
    cells = []
    for step in strides:
        plan = plan_row("step", Row(f"{step}:1"), Shape(1, grid, grid), style)
        cells.append(plan.layers()[0].pads[0])
    return tuple(cells)


@measure
def pool_projection(model: str, row: str) -> Figures:
    """Channels before and after the 1x1 that follows a module's pool."""
    plan = next(each for each in plan_of(model).rows if each.name == row)
    layer = projection_of(plan)
    return layer.input.channels, layer.output.channels


@measure
def dimension_reduced(examples: list[list[str]], channels: list[int], grid: int) -> Figures:
    """MACs without the 1x1 over those with it, for each pair of branches on a map of its channels."""
    pairs = zip(examples, channels, strict=True)
    return tuple(
        cost_of(plain, into, grid, "macs") / cost_of(reduced, into, grid, "macs") for (plain, reduced), into in pairs
    )
