"""The papers' modules apart from any network, at any width and on any grid, in table notation.

Each is a function that takes the number of input channels (and widths by keyword) and returns a row.
The arithmetic and the builder are those of whole networks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.plan import RowPlan, Shape, plan_row
from inception_bench.models.table import Row, Style

if TYPE_CHECKING:
    from torch import nn

STYLE = Style(bias=False, norm_eps=1e-3)


@dataclass(frozen=True)
class ModuleCost:
    """One module on one map: its output's grid (rows, columns) and channels, params, weights, MACs for one image."""

    grid: tuple[int, int]
    channels: int
    params: int
    weights: int
    macs: int


def naive(_: int, *, one: int = 64, three: int = 128, five: int = 32) -> Row:
    """Kernels and a pool side by side, the pool's channels as they come in; widths of GoogLeNet's module 3a."""
    return Row(f"1x1:{one}", f"3x3:{three}", f"5x5:{five}", "max3x3", paper="arXiv:1409.4842, Fig. 2a")


def bottleneck(
    _: int, *, one: int = 64, reduce3: int = 96, three: int = 128, reduce5: int = 16, five: int = 32, pool: int = 32
) -> Row:
    """1x1 convolutions before the large kernels and after the pool; widths of GoogLeNet's module 3a."""
    branches = (f"1x1:{one}", f"1x1:{reduce3} 3x3:{three}", f"1x1:{reduce5} 5x5:{five}", f"max3x3 1x1:{pool}")
    return Row(*branches, paper="arXiv:1409.4842, Fig. 2b")


def two_3x3(
    _: int, *, one: int = 64, reduce3: int = 48, three: int = 64, reduce5: int = 64, five: int = 96, pool: int = 64
) -> Row:
    """The 5x5 as two 3x3; widths of Inception-v3's 35x35 modules."""
    second, third = f"1x1:{reduce3} 3x3:{three}", f"1x1:{reduce5} 3x3:{five} 3x3:{five}"
    return Row(f"1x1:{one}", second, third, f"avg3x3 1x1:{pool}", paper="arXiv:1512.00567, Fig. 5")


def asymmetric(_: int, *, width: int = 128, out: int = 192, n: int = 7) -> Row:
    """An n x n kernel as 1 x n and n x 1, once and twice; widths of Inception-v3's first 17x17 module."""
    short = f"1x1:{width} 1x{n}:{width} {n}x1:{out}"
    long = f"1x1:{width} {n}x1:{width} 1x{n}:{width} {n}x1:{width} 1x{n}:{out}"
    return Row(f"1x1:{out}", short, long, f"avg3x3 1x1:{out}", paper="arXiv:1512.00567, Fig. 6")


def expanded(_: int, *, one: int = 320, reduce3: int = 384, reduce5: int = 448, out: int = 384, pool: int = 192) -> Row:
    """1x3 and 3x1 side by side for the coarsest grid; widths of Inception-v3's 8x8 modules."""
    fork = f"1x3:{out}|3x1:{out}"
    branches = (f"1x1:{one}", f"1x1:{reduce3} {fork}", f"1x1:{reduce5} 3x3:{out} {fork}", f"avg3x3 1x1:{pool}")
    return Row(*branches, paper="arXiv:1512.00567, Fig. 7")


def pool_first(in_channels: int) -> Row:
    """Pool, then twice the filters: cheap, but a bottleneck of the representation."""
    return Row(f"max3x3/2T 3x3:{2 * in_channels}", paper="arXiv:1512.00567, Fig. 9, left")


def convolve_first(in_channels: int) -> Row:
    """Twice the filters, then pool: no bottleneck, but costly."""
    return Row(f"3x3:{2 * in_channels} max3x3/2T", paper="arXiv:1512.00567, Fig. 9, right")


def parallel(in_channels: int) -> Row:
    """A strided convolution beside the pool, concatenated."""
    return Row(f"3x3/2:{in_channels}", "max3x3/2T", paper="arXiv:1512.00567, Fig. 10, right")


def inception_a(_: int) -> Row:
    """Inception-v4 on the 35x35 grid."""
    return Row("1x1:96", "1x1:64 3x3:96", "1x1:64 3x3:96 3x3:96", "avg3x3 1x1:96", paper="arXiv:1602.07261, Fig. 4")


def inception_b(_: int) -> Row:
    """Inception-v4 on the 17x17 grid."""
    short, long = "1x1:192 1x7:224 7x1:256", "1x1:192 1x7:192 7x1:224 1x7:224 7x1:256"
    return Row("1x1:384", short, long, "avg3x3 1x1:128", paper="arXiv:1602.07261, Fig. 5")


def inception_c(_: int) -> Row:
    """Inception-v4 on the 8x8 grid."""
    short, long = "1x1:384 1x3:256|3x1:256", "1x1:384 1x3:448 3x1:512 3x1:256|1x3:256"
    return Row("1x1:256", short, long, "avg3x3 1x1:256", paper="arXiv:1602.07261, Fig. 6")


def inception_resnet_a(_: int, *, residual_scale: float = 0.17) -> Row:
    """Inception-ResNet-v2 on the 35x35 grid."""
    branches = ("1x1:32", "1x1:32 3x3:32", "1x1:32 3x3:48 3x3:64")
    return Row(*branches, scale=residual_scale, paper="arXiv:1602.07261, Fig. 16")


def inception_resnet_b(_: int, *, residual_scale: float = 0.10) -> Row:
    """Inception-ResNet-v2 on the 17x17 grid."""
    return Row("1x1:192", "1x1:128 1x7:160 7x1:192", scale=residual_scale, paper="arXiv:1602.07261, Fig. 17")


def inception_resnet_c(_: int, *, residual_scale: float = 0.20) -> Row:
    """Inception-ResNet-v2 on the 8x8 grid."""
    return Row("1x1:192", "1x1:192 1x3:224 3x1:256", scale=residual_scale, paper="arXiv:1602.07261, Fig. 19")


MODULES: dict[str, Callable[..., Row]] = {
    function.__name__: function
    for function in (
        *(naive, bottleneck, two_3x3, asymmetric, expanded, pool_first, convolve_first, parallel),
        *(inception_a, inception_b, inception_c, inception_resnet_a, inception_resnet_b, inception_resnet_c),
    )
}


def list_modules() -> list[str]:
    """The names that ``create_module`` knows."""
    return list(MODULES)


def plan_module(
    name: str, in_channels: int, grid: int, *, width_mult: float = 1.0, style: Style = STYLE, **widths: float
) -> RowPlan:
    """A module with its shapes on an input (``in_channels``, ``grid``, ``grid``).

    ``width_mult`` scales every filter count as in ``create_model``; ``widths`` are the keywords of
    the module's function. Raises UsageError for an unknown module or keyword, or an impossible map.
    """
    if name not in MODULES:
        raise UnknownNameError("module", name, MODULES)
    known = [key for key, p in inspect.signature(MODULES[name]).parameters.items() if p.kind is p.KEYWORD_ONLY]
    for key in widths:
        if key not in known:
            raise UnknownNameError(f"keyword of module {name}", key, known or ["none"])
    if in_channels < 1 or grid < 1:
        raise UsageError(f"module {name}: a map of {in_channels} channels by {grid} is not possible; give at least 1")
    if not width_mult > 0:
        raise UsageError(f"width_mult {width_mult} is not possible; give a number above 0, such as 0.25")
    return plan_row(name, MODULES[name](in_channels, **widths), Shape(in_channels, grid, grid), style, width_mult)


def module_cost(name: str, in_channels: int, grid: int, *, style: Style = STYLE, **options: float) -> ModuleCost:
    """What ``create_module`` with the same arguments costs, by arithmetic and without torch."""
    plan = plan_module(name, in_channels, grid, style=style, **options)
    layers = plan.layers()
    return ModuleCost(
        (plan.output.height, plan.output.width),
        plan.output.channels,
        sum(layer.params(style) for layer in layers),
        sum(layer.weights for layer in layers),
        sum(layer.macs() for layer in layers),
    )


def create_module(name: str, in_channels: int, grid: int, *, style: Style = STYLE, **options: float) -> nn.Module:
    """A module of the papers: (N, in_channels, grid, grid) to maps. Options and errors as ``plan_module``."""
    from inception_bench.models.initialise import initialise
    from inception_bench.models.network import make_row

    module = make_row(plan_module(name, in_channels, grid, style=style, **options), style)
    initialise(module, {})
    return module
