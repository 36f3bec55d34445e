"""GoogLeNet (Inception v1): arXiv:1409.4842, Table 1.

The table omits local response normalisation, which the released prototxt has after the first pool
and the second convolution. Its row "convolution 7x7/2" prints 2.7K parameters and 34M operations,
which no 7x7 of 64 filters on 3 channels has (9.4K and 118M); they are those of a separable 7x7 with
channel multiplier 8, the stem that arXiv:1502.03167 describes. The parameters of rows 4c and 5a do
not follow from their widths either.

``@torchvision`` has a 3x3 where the paper has a 5x5 (as TensorFlow-slim), batch normalisation for
response normalisation, a 2x2 last pool, and aux heads that average to 4x4 adaptively.
"""

from __future__ import annotations

from inception_bench.models.derive import rewritten
from inception_bench.models.printed import Printed, Published, parse_printed
from inception_bench.models.table import Aux, Head, Paper, Preprocessing, Row, Style, Table

PAPER = Paper("Going deeper with convolutions", "arXiv:1409.4842", 2014)
# Mean-subtracted RGB on the scale of 0 to 255; the means are those of the released prototxt.
PREPROCESSING = Preprocessing((123 / 255, 117 / 255, 104 / 255), (1 / 255, 1 / 255, 1 / 255))
HALF = Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def v1(one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int, paper: str, printed: str) -> Row:
    """A module by the six widths of Table 1 (Fig. 2b: 1x1 before the 3x3, the 5x5, and after the pool)."""
    branches = (f"1x1:{one}", f"1x1:{reduce3} 3x3:{three}", f"1x1:{reduce5} 5x5:{five}", f"max3x3 1x1:{pool}")
    return Row(*branches, paper=f"inception ({paper})", printed=printed)


def aux(at: str, grid: int = 14, pool: str = "avg5x5/3V ") -> Aux:
    """The classifier on 4a and 4d: average 5x5/3, 1x1 of 128, 1024 wide (section 5 of the paper)."""
    return Aux.of(at, grid, f"{pool}1x1:128", head=Head(hidden=(1024,), hidden_dropout=0.7, pool=False))


GOOGLENET = Table(
    name="googlenet",
    definition="",
    paper=PAPER,
    style=Style(bias=True, norm_eps=None),
    preprocessing=PREPROCESSING,
    input_size=224,
    least_input=32,
    head=Head(dropout=0.4, printed=parse_printed("1x1x1000 1000K 1M")),
    aux=(aux("Mixed_4b"), aux("Mixed_4e")),
    printed=Printed(macs=1.5e9),
    published=Published(None, 0.8993, "arXiv:1409.4842, Table 3 (10.07 % top-5 error)"),
    rows={
        "Conv2d_1a_7x7": Row("7x7/2:64", paper="convolution 7x7/2", printed="112x112x64 2.7K 34M"),
        "MaxPool_2a_3x3": Row("max3x3/2C lrn", paper="max pool 3x3/2", printed="56x56x64"),
        "Conv2d_2b_1x1": Row("1x1:64", paper="convolution 3x3/1"),
        "Conv2d_2c_3x3": Row("3x3:192 lrn", paper="convolution 3x3/1", printed="56x56x192 112K 360M"),
        "MaxPool_3a_3x3": Row("max3x3/2C", paper="max pool 3x3/2", printed="28x28x192"),
        "Mixed_3b": v1(64, 96, 128, 16, 32, 32, "3a", "28x28x256 159K 128M"),
        "Mixed_3c": v1(128, 128, 192, 32, 96, 64, "3b", "28x28x480 380K 304M"),
        "MaxPool_4a_3x3": Row("max3x3/2C", paper="max pool 3x3/2", printed="14x14x480"),
        "Mixed_4b": v1(192, 96, 208, 16, 48, 64, "4a", "14x14x512 364K 73M"),
        "Mixed_4c": v1(160, 112, 224, 24, 64, 64, "4b", "14x14x512 437K 88M"),
        "Mixed_4d": v1(128, 128, 256, 24, 64, 64, "4c", "14x14x512 463K 100M"),
        "Mixed_4e": v1(112, 144, 288, 32, 64, 64, "4d", "14x14x528 580K 119M"),
        "Mixed_4f": v1(256, 160, 320, 32, 128, 128, "4e", "14x14x832 840K 170M"),
        "MaxPool_5a_3x3": Row("max3x3/2C", paper="max pool 3x3/2", printed="7x7x832"),
        "Mixed_5b": v1(256, 160, 320, 32, 128, 128, "5a", "7x7x832 1072K 54M"),
        "Mixed_5c": v1(384, 192, 384, 48, 128, 128, "5b", "7x7x1024 1388K 71M"),
    },
)
# Nets with batch normalisation have no response normalisation (arXiv:1502.03167, section 4.2.1).
NORMALISED = Style(bias=False, norm_eps=1e-3)
GOOGLENET_BN = GOOGLENET.define(
    "bn", "batch normalisation for biases", style=NORMALISED, rows=rewritten(GOOGLENET.rows, " lrn", "")
)
GOOGLENET_TORCHVISION = GOOGLENET_BN.define(
    "torchvision",
    "3x3 where the paper has 5x5, as torchvision and TensorFlow-slim",
    preprocessing=HALF,
    head=Head(dropout=0.2, printed=GOOGLENET.head.printed),
    aux=(aux("Mixed_4b", 4, ""), aux("Mixed_4e", 4, "")),
    rows=rewritten(GOOGLENET_BN.rows, "5x5", "3x3") | {"MaxPool_5a_3x3": Row("max2x2/2C", paper="max pool 3x3/2")},
    published=Published(0.69778, 0.89530, "torchvision, GoogLeNet_Weights.IMAGENET1K_V1"),
)
