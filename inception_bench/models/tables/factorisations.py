"""Each factorisation of the papers beside what it replaces, both as tables of one row.

A module takes a map of the papers' channels and grid, and an average and a small linear layer follow it, the same
on both sides. So every runtime builds it as it builds a network. No list of networks has these tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from inception_bench.models.modules import STYLE
from inception_bench.models.table import Paper, Row, Table
from inception_bench.models.tables.googlenet import HALF

MODULE = "module."
# Outputs of the linear layer behind a module: enough to compare, too few to cost anything.
OUTPUTS = 10


@dataclass(frozen=True)
class Factorisation:
    """``new`` in place of ``old``, by their addresses; ``what`` is a line for a reader."""

    name: str
    what: str
    old: str
    new: str
    source: str


@dataclass(frozen=True)
class _Place:
    """Where a pair stands: its source, and the map that comes in."""

    source: str
    channels: int
    grid: int

    def table(self, name: str, branches: tuple[str, ...]) -> Table:
        return Table(
            name=MODULE + name,
            definition=f"{self.grid}x{self.grid}x{self.channels}",
            paper=Paper("a module on its own", self.source, None),
            rows={"Module": Row(*branches)},
            style=STYLE,
            preprocessing=HALF,
            input_size=self.grid,
            least_input=self.grid,
            native_only=True,
            in_channels=self.channels,
        )


V1, V3, BN, V4 = "arXiv:1409.4842", "arXiv:1512.00567", "arXiv:1502.03167", "arXiv:1602.07261"
ON_28, ON_17, ON_73 = _Place(V3, 64, 28), _Place(V3, 192, 17), _Place(V3, 64, 73)
AT_3A, IN_V3, IN_6E = _Place(V1, 192, 28), _Place(V3, 288, 35), _Place(V3, 768, 17)
ON_8, REDUCED, PHOTO, SMALL_PHOTO = _Place(V3, 384, 8), _Place(V3, 320, 35), _Place(V3, 3, 299), _Place(BN, 3, 224)
SQUARE = ("1x1:192", "1x1:192 7x7:192", "1x1:192 7x7:192 7x7:192", "avg3x3 1x1:192")
TURNED = ("1x1:192", "1x1:192 1x7:192 7x1:192", "1x1:192 7x1:192 1x7:192 7x1:192 1x7:192", "avg3x3 1x1:192")
FIG_2A = ("1x1:64", "3x3:128", "5x5:32", "max3x3 1x1:32")
FIG_2B = ("1x1:64", "1x1:96 3x3:128", "1x1:16 5x5:32", "max3x3 1x1:32")
WITH_5X5 = ("1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "avg3x3 1x1:64")
WITH_3X3 = ("1x1:64", "1x1:48 3x3:64 3x3:64", "1x1:64 3x3:96 3x3:96", "avg3x3 1x1:64")

# Name of the pair: what it is, where, the old side's name and branches, the new side's.
_PAIRS: dict[str, tuple[str, _Place, str, tuple[str, ...], str, tuple[str, ...]]] = {
    "3x3_for_5x5": ("a 3x3 for a 5x5", ON_28, "5x5", ("5x5:64",), "3x3", ("3x3:64",)),
    "two_3x3_for_5x5": ("two 3x3 for a 5x5", ON_28, "5x5", ("5x5:64",), "two_3x3", ("3x3:64 3x3:64",)),
    "two_3x3_in_v3": ("two 3x3 for v3's 5x5", IN_V3, "with_5x5", WITH_5X5, "with_two_3x3", WITH_3X3),
    "two_3x3_in_3a": (
        "two 3x3 for 3a's 5x5", AT_3A, "16_5x5", ("1x1:16 5x5:32",), "16_two_3x3", ("1x1:16 3x3:32 3x3:32",),
    ),
    "1x1_before_5x5": ("a 1x1 before 3a's 5x5", AT_3A, "5x5_wide", ("5x5:32",), "16_5x5", ("1x1:16 5x5:32",)),
    "reduced_for_naive": ("1x1 reductions in 3a", AT_3A, "naive", FIG_2A, "reduced", FIG_2B),
    "1x3_3x1_for_3x3": ("1x3 and 3x1 for a 3x3", ON_17, "3x3", ("3x3:192",), "1x3_3x1", ("1x3:192 3x1:192",)),
    "1x3_3x1_on_73": ("the same on a large grid", ON_73, "3x3", ("3x3:64",), "1x3_3x1", ("1x3:64 3x1:64",)),
    "1x7_7x1_for_7x7": ("1x7 and 7x1 for a 7x7", ON_17, "7x7", ("7x7:192",), "1x7_7x1", ("1x7:192 7x1:192",)),
    "asymmetric_in_6e": ("1x7 and 7x1 in v3's 6e", IN_6E, "square", SQUARE, "asymmetric", TURNED),
    "1x3_beside_3x1": ("1x3 beside 3x1 for a 3x3", ON_8, "3x3", ("3x3:768",), "1x3_beside_3x1", ("1x3:384|3x1:384",)),
    "parallel_reduction": (
        "strided 3x3 beside a pool", REDUCED, "convolve_first", ("3x3:640 max3x3/2T",),
        "parallel", ("3x3/2:320", "max3x3/2T"),
    ),
    "pool_first": (
        "the pool before the 3x3", REDUCED, "convolve_first", ("3x3:640 max3x3/2T",),
        "pool_first", ("max3x3/2T 3x3:640",),
    ),
    "three_3x3_stem": (
        "three 3x3 for the stem's 7x7", PHOTO, "stem_7x7", ("7x7/2V:64 max3x3/2V",),
        "stem_3x3", ("3x3/2V:32 3x3V:32 3x3:64 max3x3/2V",),
    ),
    "separable_stem": (
        "a separable 7x7", SMALL_PHOTO, "7x7", ("7x7/2:64",), "separable", ("7x7/2:x8B 1x1:64",),
    ),
}  # fmt: skip
# Whole networks whose times the papers compare; the old side first.
_NETWORKS = {
    "googlenet_for_vgg16": ("GoogLeNet for VGG-16", "vgg16", "googlenet", V1),
    "inception_resnet_v2_for_inception_v4": (
        "Inception-ResNet-v2 for Inception-v4", "inception_v4", "inception_resnet_v2", V4,
    ),
}  # fmt: skip


@cache
def module_tables() -> dict[str, Table]:
    """Every module by its address: ``module.5x5@28x28x64``."""
    tables: dict[str, Table] = {}
    for _, place, old, old_branches, new, new_branches in _PAIRS.values():
        for name, branches in ((old, old_branches), (new, new_branches)):
            table = place.table(name, branches)
            if tables.setdefault(table.address, table) != table:
                raise ValueError(f"two modules are called {table.address}")
    return tables


@cache
def factorisations() -> dict[str, Factorisation]:
    """The pairs of modules by name."""
    return {
        name: Factorisation(
            name, what, place.table(old, old_branches).address, place.table(new, new_branches).address, place.source
        )
        for name, (what, place, old, old_branches, new, new_branches) in _PAIRS.items()
    }


@cache
def network_pairs() -> dict[str, Factorisation]:
    """The pairs of networks by name."""
    return {name: Factorisation(name, *parts) for name, parts in _NETWORKS.items()}
