"""Inception-ResNet-v2: the release (TensorFlow-slim), and arXiv:1602.07261 as ``@paper``.

The release has Inception-v3's stem, 10, 20 and 10 modules, and a last 1x1 of 1536. The paper's
figures have Inception-v4's stem and 5, 10 and 5 modules on 384, 1152 and 2144 channels. Figs. 17 and
19 print 1154 and 2048 for the widths of the sums, which cannot be added to 1152 and 2144, and
Fig. 15 prints the sizes of Inception-ResNet-v1. Only the release costs what Inception-v4 costs.
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.derive import repeat, unprinted
from inception_bench.models.printed import Published
from inception_bench.models.table import Row, Table
from inception_bench.models.tables import inception_v3, inception_v4
from inception_bench.models.tables.inception_v4 import INCEPTION_V4, reduction_a

A = Row("1x1:32", "1x1:32 3x3:32", "1x1:32 3x3:48 3x3:64", scale=0.17, paper="Fig. 16", printed="35x35x384 x5")
B = Row("1x1:192", "1x1:128 1x7:160 7x1:192", scale=0.10, paper="Fig. 17", printed="17x17x1154 x10")
C = Row("1x1:192", "1x1:192 1x3:224 3x1:256", scale=0.20, paper="Fig. 19", printed="8x8x2048 x5")
REDUCTION_B = ("1x1:256 3x3/2V:384", "1x1:256 3x3/2V:288", "1x1:256 3x3:288 3x3/2V:320", "max3x3/2V")
TO_TEN = "1 2 3 4 5 6 7 8 9 10"

INCEPTION_RESNET_V2: Table = replace(
    INCEPTION_V4,
    name="inception_resnet_v2",
    aux=(inception_v3.aux("Block17_20"),),
    published=Published(0.804, 0.953, "TensorFlow-slim, table of pre-trained models"),
    rows=unprinted(
        inception_v3.STEM
        | {"Mixed_5b": Row("1x1:96", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "avg3x3 1x1:64", paper="release, 5b")}
        | repeat("Block35_", TO_TEN, A)
        | {"Mixed_6a": reduction_a(256, 256, 384, 384)}
        | repeat("Block17_", TO_TEN + " 11 12 13 14 15 16 17 18 19 20", B)
        | {"Mixed_7a": Row(*REDUCTION_B, paper="Fig. 18")}
        | repeat("Block8_", "1 2 3 4 5 6 7 8 9", C)
        | {"Block8_10": Row(*C.branches, scale=1.0, activated=False, paper="release, block8")}
        | {"Conv2d_7b_1x1": Row("1x1:1536", paper="release, 7b")}
    ),
)
INCEPTION_RESNET_V2_PAPER = INCEPTION_RESNET_V2.define(
    "paper",
    "5, 10 and 5 modules on 384, 1152 and 2144 channels",
    aux=(),
    published=Published(0.801, 0.951, "arXiv:1602.07261, Table 2 (19.9 % and 4.9 % error)"),
    rows=inception_v4.STEM
    | repeat("Block35_", "1 2 3 4 5", A)
    | {"Mixed_6a": reduction_a(256, 256, 384, 384)}
    | repeat("Block17_", TO_TEN, B)
    | {"Mixed_7a": Row(*REDUCTION_B, paper="Fig. 18")}
    | repeat("Block8_", "1 2 3 4 5", C),
)
