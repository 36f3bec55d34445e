"""Measures of arXiv:1409.4842."""

from __future__ import annotations

import itertools

from inception_bench.claims.branches import BARE, branch_layers
from inception_bench.claims.measures import Figures, measure
from inception_bench.claims.networks import conv_elements, is_module, plan_of
from inception_bench.models.complexity import complexity
from inception_bench.models.modules import MODULES
from inception_bench.models.plan import AuxPlan, Shape, layers_of, plan_row


@measure
def aux_heads(model: str) -> Figures:
    """Of each head the side of its map and the channels that it reads; then 1x1, hidden width, dropout, weight."""
    heads = plan_of(model).aux
    maps = [figure for head in heads for figure in (_pooled(head).height, _pooled(head).channels)]
    first = heads[0]
    (hidden,) = first.aux.head.hidden
    projection = layers_of(first.branch)[-1].output.channels
    return (*maps, projection, hidden, first.aux.head.hidden_dropout, first.aux.loss_weight)


def _pooled(head: AuxPlan) -> Shape:
    return layers_of(head.branch)[0].output


@measure
def outputs_grow(model: str, reduced: str) -> Figures:
    """The least growth of channels through a module, and the MACs over those of the network with reductions."""
    modules = [row for row in plan_of(model).rows if is_module(row)]
    least = min(row.output.channels / row.input.channels for row in modules)
    return least, complexity(model).macs / complexity(reduced).macs


# Section 7: scales of the image, squares of each, crops of each square (four corners, centre, the whole
# square resized), and mirrors.
CROPS = (
    (256, 288, 320, 352),
    ("left or top", "centre", "right or bottom"),
    ("top left", "top right", "bottom left", "bottom right", "centre", "whole"),
    ("as it is", "mirrored"),
)


@measure
def crops() -> Figures:
    """How many different crops section 7 makes of one image."""
    return (len(set(itertools.product(*CROPS))),)


@measure
def relative_reduction(before: list[float], after: float) -> Figures:
    """The share of each error that the smaller one takes away."""
    return tuple((error - after) / error for error in before)


# Shares of module 3a of Table 1, for a module of any width.
_MODULE_3A = {"one": 64, "reduce3": 96, "three": 128, "reduce5": 16, "five": 32, "pool": 32}
_OUT_3A = 256


@measure
def modules_in_the_stem() -> Figures:
    """Convolution outputs of GoogLeNet's two plain stages if they were modules as 3a, over those as they are."""
    plain = conv_elements(branch_layers("7x7/2:64", 3, 224)) + conv_elements(branch_layers("1x1:64 3x3:192", 64, 56))
    return ((_module_elements(64, 112) + _module_elements(192, 56)) / plain,)


def _module_elements(out: int, grid: int) -> int:
    row = MODULES["bottleneck"](out, **{name: width * out // _OUT_3A for name, width in _MODULE_3A.items()})
    return conv_elements(plan_row("module", row, Shape(out, grid, grid), BARE).layers())
