"""The naive module of arXiv:1409.4842, Fig. 2a, in every place of Table 1.

The output widths are those of Table 1, without the 1x1 reductions. The pool branch passes its input
through, so channels grow from stage to stage; ``@projection`` keeps the 1x1 after the pool, and so
the channels of Table 1. The paper gives no figures for either: both are worked out here.
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.derive import unprinted
from inception_bench.models.printed import NOTHING_PRINTED, UNPUBLISHED
from inception_bench.models.table import Head, Row, Table
from inception_bench.models.tables.googlenet import GOOGLENET

ROWS = unprinted(GOOGLENET.rows)


def naive(row: Row, projected: bool) -> Row:
    """A module of Table 1 without what stands before its 3x3 and 5x5; other rows as they are."""
    *convolutions, pool = row.branches
    last = tuple(branch[-1:] for branch in convolutions)
    return row.with_branches(*last, pool if projected else pool[:1]) if convolutions else row


GOOGLENET_NAIVE: Table = replace(
    GOOGLENET,
    name="googlenet_naive",
    note="Fig. 2a in place of Fig. 2b; the pool passes through",
    rows={name: naive(row, projected=False) for name, row in ROWS.items()},
    head=Head(dropout=0.4),
    aux=(),
    printed=NOTHING_PRINTED,
    published=UNPUBLISHED,
)
GOOGLENET_NAIVE_PROJECTION = GOOGLENET_NAIVE.define(
    "projection",
    "no 1x1 reductions, but the projection after the pool is kept",
    rows={name: naive(row, projected=True) for name, row in ROWS.items()},
)
