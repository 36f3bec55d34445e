"""GoogLeNet (Inception v1): arXiv:1409.4842, Table 1.

The table omits local response normalisation, which the released prototxt has after the first pool
and the second convolution. Its row "convolution 7x7/2" prints 2.7K parameters and 34M operations,
which no 7x7 of 64 filters on 3 channels has (9.4K and 118M); rows 4c and 5a do not follow from
their widths either.
"""

from __future__ import annotations

from inception_bench.models.table import Aux, Paper, Preprocessing, Row, Style, Table

PAPER = Paper("Going deeper with convolutions", "arXiv:1409.4842", 2014)
# Mean-subtracted RGB on the scale of 0 to 255; the means are those of the released prototxt.
PREPROCESSING = Preprocessing((123 / 255, 117 / 255, 104 / 255), (1 / 255, 1 / 255, 1 / 255))


def v1(one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int, paper: str) -> Row:
    """A module by the six widths of Table 1 (Fig. 2b: 1x1 before the 3x3, the 5x5, and after the pool)."""
    return Row(
        f"1x1:{one}", f"1x1:{reduce3} 3x3:{three}", f"1x1:{reduce5} 5x5:{five}", f"max3x3 1x1:{pool}", paper=paper
    )


def aux(at: str) -> Aux:
    """The classifier on 4a and 4d: average 5x5/3, 1x1 of 128, 1024 wide (section 5 of the paper)."""
    return Aux.of(at, 14, "avg5x5/3V 1x1:128", hidden=(1024,), dropout=0.7, loss_weight=0.3)


GOOGLENET = Table(
    name="googlenet",
    definition="",
    paper=PAPER,
    style=Style(bias=True, norm_eps=None),
    preprocessing=PREPROCESSING,
    input_size=224,
    least_input=32,
    dropout=0.4,
    aux=(aux("Mixed_4b"), aux("Mixed_4e")),
    rows={
        "Conv2d_1a_7x7": Row("7x7/2:64", paper="convolution 7x7/2"),
        "MaxPool_2a_3x3": Row("max3x3/2C lrn", paper="max pool 3x3/2"),
        "Conv2d_2b_1x1": Row("1x1:64", paper="convolution 3x3/1, #3x3 reduce"),
        "Conv2d_2c_3x3": Row("3x3:192 lrn", paper="convolution 3x3/1"),
        "MaxPool_3a_3x3": Row("max3x3/2C", paper="max pool 3x3/2"),
        "Mixed_3b": v1(64, 96, 128, 16, 32, 32, paper="inception (3a)"),
        "Mixed_3c": v1(128, 128, 192, 32, 96, 64, paper="inception (3b)"),
        "MaxPool_4a_3x3": Row("max3x3/2C", paper="max pool 3x3/2"),
        "Mixed_4b": v1(192, 96, 208, 16, 48, 64, paper="inception (4a)"),
        "Mixed_4c": v1(160, 112, 224, 24, 64, 64, paper="inception (4b)"),
        "Mixed_4d": v1(128, 128, 256, 24, 64, 64, paper="inception (4c)"),
        "Mixed_4e": v1(112, 144, 288, 32, 64, 64, paper="inception (4d)"),
        "Mixed_4f": v1(256, 160, 320, 32, 128, 128, paper="inception (4e)"),
        "MaxPool_5a_3x3": Row("max3x3/2C", paper="max pool 3x3/2"),
        "Mixed_5b": v1(256, 160, 320, 32, 128, 128, paper="inception (5a)"),
        "Mixed_5c": v1(384, 192, 384, 48, 128, 128, paper="inception (5b)"),
    },
)
