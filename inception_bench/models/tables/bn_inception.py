"""BN-Inception: arXiv:1502.03167, Fig. 5.

The figure prints 128 filters after the pools of 4c and 4d beside an output of 576, which needs 96
(as TensorFlow-slim has it); ``@cadene`` keeps 128, so that 4c, 4d and 4e give 608, 608 and 1056. For
3c and 4e it prints the grid that goes in, not the one that comes out. The text says 13.6M
parameters; no reading of the figure gives more than 11.3M. The first convolution is separable with
channel multiplier 8 (the paper's appendix). Strided padding is that of the released code.
"""

from __future__ import annotations

from inception_bench.models.printed import Printed, Published
from inception_bench.models.table import Paper, Preprocessing, Row, Style, Table
from inception_bench.models.tables.googlenet import HALF

PAPER = Paper("Batch Normalization: Accelerating Deep Network Training", "arXiv:1502.03167", 2015)
BGR = Preprocessing((104 / 255, 117 / 255, 128 / 255), (1 / 255, 1 / 255, 1 / 255), "BGR")


def module(one: int, r3: int, three: int, rd: int, double: int, pool: str, paper: str, printed: str) -> Row:
    """A line of Fig. 5: #1x1, #3x3 reduce, #3x3, double #3x3 reduce, double #3x3, pool + proj."""
    branches = (f"1x1:{one}", f"1x1:{r3} 3x3:{three}", f"1x1:{rd} 3x3:{double} 3x3:{double}")
    return Row(*branches, pool.replace("+", "3x3 1x1:"), paper=f"inception ({paper})", printed=printed)


def strided(r3: int, three: int, rd: int, double: int, paper: str, printed: str) -> Row:
    """A line of Fig. 5 with stride 2: the pool passes through."""
    branches = (f"1x1:{r3} 3x3/2:{three}", f"1x1:{rd} 3x3:{double} 3x3/2:{double}", "max3x3/2T")
    return Row(*branches, paper=f"inception ({paper})", printed=printed)


BN_INCEPTION = Table(
    name="bn_inception",
    definition="",
    paper=PAPER,
    style=Style(bias=False, norm_eps=1e-3, same="tensorflow"),
    preprocessing=HALF,
    input_size=224,
    least_input=32,
    printed=Printed(params=13.6e6),
    published=Published(0.748, 0.9218, "arXiv:1502.03167, Fig. 4 (25.2 % and 7.82 % error)"),
    rows={
        "Conv2d_1a_7x7": Row("7x7/2:x8B 1x1:64", paper="convolution* 7x7/2", printed="112x112x64"),
        "MaxPool_2a_3x3": Row("max3x3/2T", paper="max pool 3x3/2", printed="56x56x64"),
        "Conv2d_2b_1x1": Row("1x1:64", paper="convolution 3x3/1"),
        "Conv2d_2c_3x3": Row("3x3:192", paper="convolution 3x3/1", printed="56x56x192"),
        "MaxPool_3a_3x3": Row("max3x3/2T", paper="max pool 3x3/2", printed="28x28x192"),
        "Mixed_3b": module(64, 64, 64, 64, 96, "avg+32", "3a", "28x28x256"),
        "Mixed_3c": module(64, 64, 96, 64, 96, "avg+64", "3b", "28x28x320"),
        "Mixed_4a": strided(128, 160, 64, 96, "3c", "28x28x576"),
        "Mixed_4b": module(224, 64, 96, 96, 128, "avg+128", "4a", "14x14x576"),
        "Mixed_4c": module(192, 96, 128, 96, 128, "avg+128", "4b", "14x14x576"),
        "Mixed_4d": module(160, 128, 160, 128, 160, "avg+96", "4c", "14x14x576"),
        "Mixed_4e": module(96, 128, 192, 160, 192, "avg+96", "4d", "14x14x576"),
        "Mixed_5a": strided(128, 192, 192, 256, "4e", "14x14x1024"),
        "Mixed_5b": module(352, 192, 320, 160, 224, "avg+128", "5a", "7x7x1024"),
        "Mixed_5c": module(352, 192, 320, 192, 224, "max+128", "5b", "7x7x1024"),
    },
)
BN_INCEPTION_CADENE = BN_INCEPTION.define(
    "cadene",
    "a Caffe port: projections of 128 as printed, plain 7x7, biases beside batch normalisation",
    style=Style(bias=True, norm_eps=1e-5, counts_padding=True),
    preprocessing=BGR,
    rows=BN_INCEPTION.rows
    | {
        "Conv2d_1a_7x7": Row("7x7/2:64", paper="convolution* 7x7/2", printed="112x112x64"),
        "Mixed_4d": module(160, 128, 160, 128, 160, "avg+128", "4c", "14x14x576"),
        "Mixed_4e": module(96, 128, 192, 160, 192, "avg+128", "4d", "14x14x576"),
    },
)
