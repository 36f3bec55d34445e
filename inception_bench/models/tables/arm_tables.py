"""Networks for small trainings that test a claim, where no definition and no change of a network gives its two sides.

No list of networks has them. Addresses begin with ``arm.``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from inception_bench.models.modules import STYLE
from inception_bench.models.notation import Branch, Conv
from inception_bench.models.table import Aux, Paper, Row, Table
from inception_bench.models.tables.bn_inception import BN_INCEPTION
from inception_bench.models.tables.googlenet import GOOGLENET_BN, HALF

ARM = "arm."
# arXiv:1512.00567, section 3.2: asymmetric kernels do well on grids of 12 to 20, badly on the early layers' large ones.
LARGE, MIDDLE = 32, 16
SQUARE, ASYMMETRIC = "7x7:{0}", "1x7:{0} 7x1:{0}"


@cache
def arm_tables() -> dict[str, Table]:
    """The tables by their addresses."""
    tables = (asymmetric_on(MIDDLE), asymmetric_on(LARGE), linear_between(), plain_heads())
    return {table.address: table for table in tables}


def asymmetric_on(grid: int) -> Table:
    """Two modules on a 32x32 grid and two on a 16x16 one; on ``grid`` 1x7 and 7x1 replace the 7x7.

    The smaller grid has half the side and twice the filters, so a 7x7 costs the same on both (32^2 * 49 * 8^2 =
    16^2 * 49 * 16^2). So does what replaces it, and both places save the same MACs.
    """

    def module(filters: int, place: int) -> Row:
        kernel = ASYMMETRIC if place == grid else SQUARE
        return Row(f"1x1:{filters}", f"1x1:{filters} {kernel.format(filters)}")

    return Table(
        name=f"{ARM}asymmetric",
        definition=f"on_{grid}",
        paper=Paper("one module in two places", "arXiv:1512.00567", None),
        rows={
            "Conv2d_1a_3x3": Row("3x3/2:16"),
            "Mixed_2a": module(8, LARGE),
            "Mixed_2b": module(8, LARGE),
            "MaxPool_3a_3x3": Row("max3x3/2T"),
            "Mixed_3a": module(16, MIDDLE),
            "Mixed_3b": module(16, MIDDLE),
            "MaxPool_4a_3x3": Row("max3x3/2T"),
            "Conv2d_4b_3x3": Row("3x3/2:64"),
        },
        style=STYLE,
        preprocessing=HALF,
        input_size=2 * LARGE,
        least_input=2 * LARGE,
        native_only=True,
    )


def linear_between() -> Table:
    """BN-Inception whose two 3x3 have no activation between them (arXiv:1512.00567, Fig. 2)."""
    return replace(
        BN_INCEPTION,
        name=f"{ARM}bn_inception",
        definition="linear_between",
        rows={name: row.with_branches(*map(_linear_first, row.branches)) for name, row in BN_INCEPTION.rows.items()},
    )


def _linear_first(branch: Branch) -> Branch:
    """The branch with the first of two neighbouring 3x3 left without activation."""
    first, second = (None, *branch)[-2:]
    if not (isinstance(first, Conv) and isinstance(second, Conv) and first.kernel == second.kernel == (3, 3)):
        return branch
    return (*branch[:-2], replace(first, after="norm"), second)


def plain_heads() -> Table:
    """GoogLeNet with batch normalisation everywhere but in its aux heads."""
    heads = tuple(replace(aux, branch=_plain(aux)) for aux in GOOGLENET_BN.aux)
    return replace(GOOGLENET_BN, name=f"{ARM}googlenet", definition="plain_heads", aux=heads)


def _plain(aux: Aux) -> Branch:
    """The head's branch, its convolution with a bias in place of batch normalisation."""
    return tuple(replace(step, after="plain") if isinstance(step, Conv) else step for step in aux.branch)
