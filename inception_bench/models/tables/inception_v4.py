"""Inception-v4: arXiv:1602.07261, Figs. 3-9.

Figures and release differ in order only: the figures put 7x1 before 1x7 in the stem, 1x7 first in
the long branch of the B modules and 1x3 first in that of the C modules; the released code has each
the other way round (``@timm``; TensorFlow-slim, timm and Cadene agree). Counts are the same, weights
are not interchangeable. The paper shows no aux head; the one here is TensorFlow-slim's.
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.derive import repeat, transposed
from inception_bench.models.printed import NOTHING_PRINTED, Published
from inception_bench.models.table import Paper, Row, Table
from inception_bench.models.tables.inception_v3 import INCEPTION_V3, aux

PAPER = Paper("Inception-v4, Inception-ResNet and the Impact of Residual Connections", "arXiv:1602.07261", 2016)
FACTORISED = ("1x1:64 3x3V:96", "1x1:64 7x1:64 1x7:64 3x3V:96")
STEM = {
    "Conv2d_1a_3x3": Row("3x3/2V:32", paper="Fig. 3, 3x3/2", printed="149x149x32"),
    "Conv2d_2a_3x3": Row("3x3V:32", paper="Fig. 3, 3x3 V", printed="147x147x32"),
    "Conv2d_2b_3x3": Row("3x3:64", paper="Fig. 3, 3x3", printed="147x147x64"),
    "Mixed_3a": Row("max3x3/2V", "3x3/2V:96", paper="Fig. 3, first concat", printed="73x73x160"),
    "Mixed_4a": Row(*FACTORISED, paper="Fig. 3, second concat", printed="71x71x192"),
    "Mixed_5a": Row("3x3/2V:192", "max3x3/2V", paper="Fig. 3, third concat", printed="35x35x384"),
}
A = Row("1x1:96", "1x1:64 3x3:96", "1x1:64 3x3:96 3x3:96", "avg3x3 1x1:96", paper="Fig. 4", printed="35x35x384 x4")
B_LONG = "1x1:192 1x7:192 7x1:224 1x7:224 7x1:256"
B_BRANCHES = ("1x1:384", "1x1:192 1x7:224 7x1:256", B_LONG, "avg3x3 1x1:128")
B = Row(*B_BRANCHES, paper="Fig. 5", printed="17x17x1024 x7")
C_BRANCHES = ("1x1:256", "1x1:384 1x3:256|3x1:256", "1x1:384 1x3:448 3x1:512 3x1:256|1x3:256", "avg3x3 1x1:256")
C = Row(*C_BRANCHES, paper="Fig. 6", printed="8x8x1536 x3")
REDUCTION_B = ("1x1:192 3x3/2V:192", "1x1:256 1x7:256 7x1:320 3x3/2V:320", "max3x3/2V")


def reduction_a(k: int, l: int, m: int, n: int, printed: str = "") -> Row:  # noqa: E741 - the paper's letters
    """Fig. 7 with the widths of Table 1."""
    return Row(f"3x3/2V:{n}", f"1x1:{k} 3x3:{l} 3x3/2V:{m}", "max3x3/2V", paper="Fig. 7", printed=printed)


INCEPTION_V4: Table = replace(
    INCEPTION_V3,
    name="inception_v4",
    paper=PAPER,
    aux=(aux("Mixed_6h"),),
    printed=NOTHING_PRINTED,
    published=Published(0.800, 0.950, "arXiv:1602.07261, Table 2 (20.0 % and 5.0 % error)"),
    rows=STEM
    | repeat("Mixed_5", "b c d e", A)
    | {"Mixed_6a": reduction_a(192, 224, 256, 384, "17x17x1024")}
    | repeat("Mixed_6", "b c d e f g h", B)
    | {"Mixed_7a": Row(*REDUCTION_B, paper="Fig. 8", printed="8x8x1536")}
    | repeat("Mixed_7", "b c d", C),
)
INCEPTION_V4_TIMM = INCEPTION_V4.define(
    "timm",
    "1x7 and 7x1 in the order of the released code",
    rows=INCEPTION_V4.rows
    | {"Mixed_4a": transposed(STEM["Mixed_4a"], 1)}
    | repeat("Mixed_6", "b c d e f g h", transposed(B, 2))
    | repeat("Mixed_7", "b c d", transposed(C, 2)),
    published=Published(0.802, 0.952, "TensorFlow-slim, table of pre-trained models"),
)
