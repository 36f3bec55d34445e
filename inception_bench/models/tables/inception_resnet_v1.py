"""Inception-ResNet-v1: arXiv:1602.07261, Figs. 10-15.

The widths are those of the figures; the only public code (facenet) agrees with them. The paper
prints "0.1 to 0.3" for the residual scale; 0.17, 0.10 and 0.20 are the released code's. ``@facenet``
adds a sixth C module of scale 1 without activation; its own networks are trained on faces at 160
pixels and end in an embedding, which is not part of this definition.
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.derive import repeat
from inception_bench.models.printed import Published
from inception_bench.models.table import Row, Table
from inception_bench.models.tables.inception_v4 import INCEPTION_V4, reduction_a

A = Row("1x1:32", "1x1:32 3x3:32", "1x1:32 3x3:32 3x3:32", scale=0.17, paper="Fig. 10", printed="35x35x256 x5")
B = Row("1x1:128", "1x1:128 1x7:128 7x1:128", scale=0.10, paper="Fig. 11", printed="17x17x896 x10")
C = Row("1x1:192", "1x1:192 1x3:192 3x1:192", scale=0.20, paper="Fig. 13", printed="8x8x1792 x5")
REDUCTION_B = ("1x1:256 3x3/2V:384", "1x1:256 3x3/2V:256", "1x1:256 3x3:256 3x3/2V:256", "max3x3/2V")

INCEPTION_RESNET_V1: Table = replace(
    INCEPTION_V4,
    name="inception_resnet_v1",
    aux=(),
    published=Published(0.787, 0.945, "arXiv:1602.07261, Table 2 (21.3 % and 5.5 % error)"),
    rows={
        "Conv2d_1a_3x3": Row("3x3/2V:32", paper="Fig. 14, 3x3/2 V", printed="149x149x32"),
        "Conv2d_2a_3x3": Row("3x3V:32", paper="Fig. 14, 3x3 V", printed="147x147x32"),
        "Conv2d_2b_3x3": Row("3x3:64", paper="Fig. 14, 3x3", printed="147x147x64"),
        "MaxPool_3a_3x3": Row("max3x3/2V", paper="Fig. 14, max pool", printed="73x73x64"),
        "Conv2d_3b_1x1": Row("1x1:80", paper="Fig. 14, 1x1", printed="73x73x80"),
        "Conv2d_4a_3x3": Row("3x3V:192", paper="Fig. 14, 3x3 V of 192", printed="71x71x192"),
        "Conv2d_4b_3x3": Row("3x3/2V:256", paper="Fig. 14, 3x3/2 V of 256", printed="35x35x256"),
    }
    | repeat("Block35_", "1 2 3 4 5", A)
    | {"Mixed_6a": reduction_a(192, 192, 256, 384, "17x17x896")}
    | repeat("Block17_", "1 2 3 4 5 6 7 8 9 10", B)
    | {"Mixed_7a": Row(*REDUCTION_B, paper="Fig. 12", printed="8x8x1792")}
    | repeat("Block8_", "1 2 3 4 5", C),
)
LAST = C.with_branches(*C.branches, scale=1.0, activated=False, paper="facenet, block8", printed="")
INCEPTION_RESNET_V1_FACENET = INCEPTION_RESNET_V1.define(
    "facenet",
    "a sixth C module of scale 1 without activation, as in facenet",
    rows=INCEPTION_RESNET_V1.rows | {"Block8_6": LAST},
)
