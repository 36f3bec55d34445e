"""Inception-v3: arXiv:1512.00567 with the widths of the release (TensorFlow-slim).

Release and paper differ: the release keeps a real 5x5 in 5b-5d (the paper's Fig. 5 has two 3x3),
has four modules on the 17x17 grid (the paper's Table 1 has five), and its first module gives 256
channels, not 288. Average pools do not count padding here, as in the release; torchvision's and
timm's do. ``@fid`` is the graph of 2015-12-05 behind the FID score: a max pool in the last module.
Printed outputs are the next line's input in Table 1.
"""

from __future__ import annotations

from inception_bench.models.printed import Printed, Published
from inception_bench.models.table import Aux, Head, Paper, Row, Style, Table
from inception_bench.models.tables.googlenet import HALF, NORMALISED

PAPER = Paper("Rethinking the Inception Architecture for Computer Vision", "arXiv:1512.00567", 2015)


def grid35(pool: int, second: str = "1x1:48 5x5:64", printed: str = "") -> Row:
    """Modules 5b, 5c, 5d on the 35x35 grid."""
    return Row("1x1:64", second, "1x1:64 3x3:96 3x3:96", f"avg3x3 1x1:{pool}", paper="Fig. 5", printed=printed)


def grid17(width: int, printed: str = "") -> Row:
    """Modules 6b-6e on the 17x17 grid: 7x7 as 1x7 and 7x1 (Fig. 6, n = 7)."""
    short, long = "1x1:{0} 1x7:{0} 7x1:192", "1x1:{0} 7x1:{0} 1x7:{0} 7x1:{0} 1x7:192"
    branches = ("1x1:192", short.format(width), long.format(width), "avg3x3 1x1:192")
    return Row(*branches, paper="Fig. 6", printed=printed)


def grid8(pool: str = "avg", printed: str = "") -> Row:
    """Modules 7b, 7c on the 8x8 grid: expanded filter banks (Fig. 7)."""
    branches = ("1x1:320", "1x1:384 1x3:384|3x1:384", "1x1:448 3x3:384 1x3:384|3x1:384", f"{pool}3x3 1x1:192")
    return Row(*branches, paper="Fig. 7", printed=printed)


def aux(at: str, stds: tuple[float, ...] = ()) -> Aux:
    """The paper's "BN-auxiliary": the 5x5 valid convolution on a 5x5 map is the normalised connected layer."""
    return Aux.of(at, 17, "avg5x5/3V 1x1:128 5x5V:768", loss_weight=0.4, stds=stds)


STEM = {
    "Conv2d_1a_3x3": Row("3x3/2V:32", paper="conv 3x3/2", printed="149x149x32"),
    "Conv2d_2a_3x3": Row("3x3V:32", paper="conv 3x3/1", printed="147x147x32"),
    "Conv2d_2b_3x3": Row("3x3:64", paper="conv padded 3x3/1", printed="147x147x64"),
    "MaxPool_3a_3x3": Row("max3x3/2V", paper="pool 3x3/2", printed="73x73x64"),
    "Conv2d_3b_1x1": Row("1x1:80", paper="conv 3x3/1", printed="71x71x80"),
    "Conv2d_4a_3x3": Row("3x3V:192", paper="conv 3x3/2", printed="35x35x192"),
    "MaxPool_5a_3x3": Row("max3x3/2V", paper="conv 3x3/1", printed="35x35x288"),
}
REDUCTION_B = ("1x1:192 3x3/2V:320", "1x1:192 1x7:192 7x1:192 3x3/2V:192", "max3x3/2V")

INCEPTION_V3 = Table(
    name="inception_v3",
    definition="",
    paper=PAPER,
    style=NORMALISED,
    preprocessing=HALF,
    input_size=299,
    least_input=75,
    head=Head(dropout=0.2),
    aux=(aux("Mixed_6e", (0.01, 0.001)),),
    printed=Printed(params=25e6, macs=4.8e9),
    published=Published(0.788, 0.944, "arXiv:1512.00567, Table 3 (21.2 % and 5.6 % error)"),
    rows=STEM
    | {
        "Mixed_5b": grid35(32),
        "Mixed_5c": grid35(64),
        "Mixed_5d": grid35(64, printed="35x35x288 x3"),
        "Mixed_6a": Row("3x3/2V:384", "1x1:64 3x3:96 3x3/2V:96", "max3x3/2V", paper="Fig. 10", printed="17x17x768"),
        "Mixed_6b": grid17(128),
        "Mixed_6c": grid17(160),
        "Mixed_6d": grid17(160),
        "Mixed_6e": grid17(192, "17x17x768 x5"),
        "Mixed_7a": Row(*REDUCTION_B, paper="Fig. 10", printed="8x8x1280"),
        "Mixed_7b": grid8(),
        "Mixed_7c": grid8(printed="8x8x2048 x2"),
    },
)
INCEPTION_V3_TORCHVISION = INCEPTION_V3.define(
    "torchvision",
    "average pools count their padding, as in torchvision and timm",
    style=Style(bias=False, norm_eps=1e-3, counts_padding=True),
    head=Head(dropout=0.5),
    published=Published(0.77294, 0.93450, "torchvision, Inception_V3_Weights.IMAGENET1K_V1"),
)
FID_ROWS = INCEPTION_V3.rows | {"Mixed_7c": grid8("max", "8x8x2048 x2")}
INCEPTION_V3_FID = INCEPTION_V3.define("fid", "the graph of 2015-12-05: a max pool in the last module", rows=FID_ROWS)
