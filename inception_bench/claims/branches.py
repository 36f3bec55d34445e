"""Measures of single branches and modules: what a factorisation saves, where a map's size goes."""

from __future__ import annotations

from inception_bench.claims.measures import Figures, measure
from inception_bench.models.modules import module_cost, plan_module
from inception_bench.models.notation import Conv
from inception_bench.models.plan import Layer, RowPlan, Shape, layers_of, plan_row
from inception_bench.models.table import Row, Style

# Weights alone, as the papers' formulas count them.
BARE = Style(bias=False, norm_eps=None)


def branch_layers(line: str, channels: int, grid: int) -> list[Layer]:
    """The layers of one branch, in the tables' notation, on a map of ``channels`` by ``grid`` by ``grid``."""
    return plan_row("branch", Row(line), Shape(channels, grid, grid), BARE).layers()


def cost_of(line: str, channels: int, grid: int, what: str) -> int:
    """Weights or MACs of a branch."""
    layers = branch_layers(line, channels, grid)
    return sum(layer.weights if what == "weights" else layer.macs() for layer in layers)


@measure
def branch_cost(branch: str, channels: int, grid: int = 28, what: str = "weights") -> Figures:
    """Weights (which are MACs a position) or MACs of a branch on one image."""
    return (cost_of(branch, channels, grid, what),)


@measure
def branch_ratio(over: str, under: str, channels: int, grid: int = 28, what: str = "weights") -> Figures:
    """Weights or MACs of one branch over another's, on the same map."""
    return (cost_of(over, channels, grid, what) / cost_of(under, channels, grid, what),)


@measure
def saved(pairs: list[list[str]], channels: int, grid: int = 28, what: str = "weights") -> Figures:
    """For each pair of branches (old, new), the share that the new one saves. All widths equal ``channels``."""
    return tuple(
        1 - cost_of(_wide(new, channels), channels, grid, what) / cost_of(_wide(old, channels), channels, grid, what)
        for old, new in pairs
    )


def _wide(kernels: str, channels: int) -> str:
    """``"3x3 3x3"`` with that many filters each."""
    return " ".join(f"{kernel}:{channels}" for kernel in kernels.split())


@measure
def saved_both_ways(old: str, new: str, channels: int, grid: int) -> Figures:
    """The share of MACs saved over the share of weights saved."""
    (macs,), (weights,) = saved([[old, new]], channels, grid, "macs"), saved([[old, new]], channels, grid)
    return (macs / weights,)


@measure
def saved_and_both_ways(old: str, new: str, channels: int, grid: int) -> Figures:
    """The share of weights saved, and the share of MACs saved over it."""
    return *saved([[old, new]], channels, grid), *saved_both_ways(old, new, channels, grid)


@measure
def fields_and_costs(pairs: list[list[str]], channels: int) -> Figures:
    """The receptive field of each new branch (in cells), then its weights over the old branch's."""
    fields = [_field(_wide(new, channels), channels) for _, new in pairs]
    return (*fields, *(1 - share for share in saved(pairs, channels)))


def _field(line: str, channels: int) -> int:
    steps = [layer.step for layer in branch_layers(line, channels, 28) if isinstance(layer.step, Conv)]
    return 1 + sum(step.kernel[0] - 1 for step in steps)


@measure
def output_grids(branches: list[str], channels: int, grid: int) -> Figures:
    """The side of the map that each branch gives."""
    return tuple(branch_layers(branch, channels, grid)[-1].output.height for branch in branches)


@measure
def additions_per_multiplication(branches: list[str], channels: int, grid: int) -> Figures:
    """Additions over multiplications: a sum of K products has K - 1 (biases apart)."""
    return tuple(_additions(branch_layers(branch, channels, grid)) for branch in branches)


def _additions(layers: list[Layer]) -> float:
    multiplications = sum(layer.macs() for layer in layers)
    return 1 - sum(layer.output.channels * layer.output.cells for layer in layers) / multiplications


@measure
def module_ratio(over: str, under: str, channels: int, grid: int) -> Figures:
    """MACs of one module over another's, on the same map."""
    return (module_cost(over, channels, grid).macs / module_cost(under, channels, grid).macs,)


@measure
def cheaper_without_bottleneck(channels: int, grid: int) -> Figures:
    """MACs of convolving first over those of the parallel reduction; its map over the narrowest of pooling first."""
    (macs,) = module_ratio("convolve_first", "parallel", channels, grid)
    return macs, *representation(channels, grid)


@measure
def representation(channels: int, grid: int) -> Figures:
    """Elements that the parallel reduction hands on, over the fewest that pooling first does on its way."""
    first, parallel = (plan_module(name, channels, grid) for name in ("pool_first", "parallel"))
    return (_elements(parallel) / min(layer.output.channels * layer.output.cells for layer in first.layers()),)


def _elements(plan: RowPlan) -> int:
    return plan.output.channels * plan.output.cells


@measure
def pool_first_cost_saved(channels: int, grid: int) -> Figures:
    """The share of the MACs of convolving first that pooling first saves."""
    (rest,) = module_ratio("pool_first", "convolve_first", channels, grid)
    return (1 - rest,)


@measure
def width_squared(module: str, channels: int, grid: int) -> Figures:
    """MACs of a module with all its widths, its input's too, doubled, over those without."""
    return (module_cost(module, 2 * channels, grid, width_mult=2.0).macs / module_cost(module, channels, grid).macs,)


def projection_of(plan: RowPlan) -> Layer:
    """The convolution after the pool of a module."""
    return layers_of(plan.branches[-1])[-1]
