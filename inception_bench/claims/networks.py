"""Measures of whole networks: params, MACs, depth, elements, and their ratios."""

from __future__ import annotations

from collections.abc import Sequence

from inception_bench.claims.measures import Figures, measure
from inception_bench.models.complexity import complexity
from inception_bench.models.notation import Conv, Pool
from inception_bench.models.plan import ForkPlan, Layer, Node, Plan, RowPlan, make_plan
from inception_bench.models.public import find_table

_TRAINED_BYTES = 4  # a parameter or an activation in binary32


def plan_of(model: str) -> Plan:
    """A network's plan at its native size and width, with the aux heads that it has."""
    table = find_table(model)
    return make_plan(table, aux=bool(table.aux))


def is_module(row: RowPlan) -> bool:
    """Whether a row is an Inception module (or reduction): three branches or more."""
    return len(row.branches) >= 3


def conv_elements(layers: Sequence[Layer]) -> int:
    """What training keeps of convolutions: their output elements for one image."""
    return sum(layer.output.channels * layer.output.cells for layer in layers if isinstance(layer.step, Conv))


def network_elements(plan: Plan) -> int:
    """The output elements of every convolution of a network."""
    return sum(conv_elements(row.layers()) for row in plan.rows)


def longest_chain(plan: Plan) -> int:
    """Weighted layers on the longest way from image to logits."""
    return sum(_row_chain(row) for row in plan.rows) + len(plan.head.linears)


def pools_of(plan: Plan) -> list[Pool]:
    """Every pooling step of the rows."""
    return [layer.step for row in plan.rows for layer in row.layers() if isinstance(layer.step, Pool)]


def _row_chain(row: RowPlan) -> int:
    ways = [*row.branches, *([row.shortcut] if row.shortcut else [])]
    return max(sum(_node_chain(node) for node in way) for way in ways) + (row.up is not None)


def _node_chain(node: Node) -> int:
    layers = node.siblings if isinstance(node, ForkPlan) else (node,)
    return max(int(isinstance(layer.step, Conv)) for layer in layers)


@measure
def total(model: str, what: str) -> Figures:
    """Params (aux heads off) or MACs of a network."""
    costs = complexity(model)
    return (costs.params_without_aux if what == "params" else costs.macs,)


@measure
def ratio(over: str, under: str, what: str) -> Figures:
    """Params or MACs of one network over another's; ``what`` may name both."""
    return tuple(total(over, one)[0] / total(under, one)[0] for one in what.split())


@measure
def difference(more: str, less: str, what: str) -> Figures:
    """Params or MACs of one network less those of another."""
    return (total(more, what)[0] - total(less, what)[0],)


@measure
def total_and_ratio(over: str, under: str, what: str) -> Figures:
    """A network's figure, and its ratio to another's."""
    return (*total(over, what), *ratio(over, under, what))


@measure
def at_width(model: str, width_mult: float) -> Figures:
    """Params and MACs with every filter bank multiplied, over those without."""
    wide, native = complexity(model, width_mult=width_mult), complexity(model)
    return wide.params / native.params, wide.macs / native.macs


@measure
def shrunk(model: str, input_size: int) -> Figures:
    """MACs at the native size over those at another."""
    return (complexity(model).macs / complexity(model, input_size=input_size).macs,)


@measure
def depth(model: str) -> Figures:
    """Weighted layers on the longest way."""
    return (longest_chain(plan_of(model)),)


@measure
def depth_with_pools(model: str) -> Figures:
    """Weighted layers on the longest way, and the same with the pools between modules and before the classifier."""
    plan = plan_of(model)
    between = sum(
        not is_module(row) and any(isinstance(layer.step, Pool) for layer in row.layers()) for row in plan.rows
    )
    weighted = longest_chain(plan)
    return weighted, weighted + between + int(plan.head.head.pool)


@measure
def weighted_ratio(over: str, under: str) -> Figures:
    """Convolutions and linear layers of one network over another's."""
    return (_weighted(plan_of(over)) / _weighted(plan_of(under)),)


def _weighted(plan: Plan) -> int:
    convs = sum(isinstance(layer.step, Conv) for row in plan.rows for layer in row.layers())
    return convs + len(plan.head.linears)


@measure
def building_blocks(model: str) -> Figures:
    """Convolutions, pools, normalisations, concatenations, and the classifier's pool, dropout and linear layers."""
    plan = plan_of(model)
    rows = sum(len(row.layers()) + (len(row.branches) > 1) for row in plan.rows)
    head = plan.head
    return (rows + int(head.head.pool) + int(head.head.dropout > 0) + len(head.linears),)


@measure
def average_pool_share(model: str) -> Figures:
    """Average pools among all pools, the classifier's among them."""
    plan = plan_of(model)
    kinds = [pool.kind for pool in pools_of(plan)] + (["avg"] if plan.head.head.pool else [])
    return (kinds.count("avg") / len(kinds),)


@measure
def classifier_share(model: str) -> Figures:
    """The share of the params that the linear layers hold."""
    plan = plan_of(model)
    return (plan.head.params / complexity(model).params_without_aux,)


@measure
def memory_ratio(over: str, under: str) -> Figures:
    """Bytes of params and of convolution outputs for one image, binary32, one network over another."""
    return (_bytes(over) / _bytes(under),)


def _bytes(model: str) -> int:
    return _TRAINED_BYTES * (complexity(model).params_without_aux + network_elements(plan_of(model)))


@measure
def module_channels(model: str) -> Figures:
    """The output channels of every module in order."""
    return tuple(row.output.channels for row in plan_of(model).rows if is_module(row))
