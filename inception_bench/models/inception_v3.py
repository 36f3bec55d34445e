"""Inception-v3: arXiv:1512.00567 with the widths of the release (TensorFlow-slim).

Release and paper differ: the release keeps a real 5x5 in 5b-5d (the paper's Fig. 5 has two 3x3),
has four modules on the 17x17 grid (the paper's Table 1 has five), and its first module gives 256
channels, not 288. Average pools do not count padding here, as in the release; torchvision's and
timm's do.
"""

from __future__ import annotations

from inception_bench.models.table import Aux, Paper, Preprocessing, Row, Style, Table

PAPER = Paper("Rethinking the Inception Architecture for Computer Vision", "arXiv:1512.00567", 2015)
PREPROCESSING = Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def grid35(pool: int) -> Row:
    """Modules 5b, 5c, 5d on the 35x35 grid."""
    return Row("1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", f"avg3x3 1x1:{pool}", paper="Fig. 5")


def grid17(width: int) -> Row:
    """Modules 6b-6e on the 17x17 grid: 7x7 as 1x7 and 7x1 (Fig. 6, n = 7)."""
    return Row(
        "1x1:192",
        f"1x1:{width} 1x7:{width} 7x1:192",
        f"1x1:{width} 7x1:{width} 1x7:{width} 7x1:{width} 1x7:192",
        "avg3x3 1x1:192",
        paper="Fig. 6",
    )


def grid8(pool: str = "avg") -> Row:
    """Modules 7b, 7c on the 8x8 grid: expanded filter banks (Fig. 7)."""
    return Row(
        "1x1:320", "1x1:384 1x3:384|3x1:384", "1x1:448 3x3:384 1x3:384|3x1:384", f"{pool}3x3 1x1:192", paper="Fig. 7"
    )


INCEPTION_V3 = Table(
    name="inception_v3",
    definition="",
    paper=PAPER,
    style=Style(bias=False, norm_eps=1e-3),
    preprocessing=PREPROCESSING,
    input_size=299,
    least_input=75,
    dropout=0.2,
    # "BN-auxiliary": the 5x5 valid convolution on a 5x5 map is the batch-normalised connected layer.
    aux=(Aux.of("Mixed_6e", 17, "avg5x5/3V 1x1:128 5x5V:768", loss_weight=0.4),),
    rows={
        "Conv2d_1a_3x3": Row("3x3/2V:32", paper="conv 3x3/2"),
        "Conv2d_2a_3x3": Row("3x3V:32", paper="conv 3x3/1"),
        "Conv2d_2b_3x3": Row("3x3:64", paper="conv padded 3x3/1"),
        "MaxPool_3a_3x3": Row("max3x3/2V", paper="pool 3x3/2"),
        "Conv2d_3b_1x1": Row("1x1:80", paper="conv 3x3/1"),
        "Conv2d_4a_3x3": Row("3x3V:192", paper="conv 3x3/2"),
        "MaxPool_5a_3x3": Row("max3x3/2V", paper="conv 3x3/1"),
        "Mixed_5b": grid35(32),
        "Mixed_5c": grid35(64),
        "Mixed_5d": grid35(64),
        "Mixed_6a": Row("3x3/2V:384", "1x1:64 3x3:96 3x3/2V:96", "max3x3/2V", paper="Fig. 10"),
        "Mixed_6b": grid17(128),
        "Mixed_6c": grid17(160),
        "Mixed_6d": grid17(160),
        "Mixed_6e": grid17(192),
        "Mixed_7a": Row("1x1:192 3x3/2V:320", "1x1:192 1x7:192 7x1:192 3x3/2V:192", "max3x3/2V", paper="Fig. 10"),
        "Mixed_7b": grid8(),
        "Mixed_7c": grid8(),
    },
)
