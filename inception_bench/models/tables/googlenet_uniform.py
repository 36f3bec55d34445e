"""A widespread Keras listing that is titled GoogLeNet: every branch of a module has the same width.

It is another network than arXiv:1409.4842: no 1x1 before the 3x3 of 192, batch normalisation after
the activation, "same" padding as TensorFlow lays it, a 1000-wide activated layer before the
classifier, no aux heads. Its "5x5" branch is printed with a 1x1 kernel, which ``@printed`` keeps;
the plain name has the 5x5.
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.derive import repeat, rewritten
from inception_bench.models.table import Head, Paper, Row, Style, Table
from inception_bench.models.tables.googlenet_naive import GOOGLENET_NAIVE


def uniform(width: int) -> Row:
    """A module whose four branches are ``width`` wide."""
    return Row(f"1x1:{width}", f"1x1:{width} 3x3:{width}", f"1x1:{width} 5x5:{width}", f"max3x3 1x1:{width}")


GOOGLENET_UNIFORM: Table = replace(
    GOOGLENET_NAIVE,
    name="googlenet_uniform",
    paper=Paper("GoogLeNet, a tutorial's Keras listing", "tutorial listing", None),
    note="all branches of a module equally wide; the 5x5 branch repaired",
    style=Style(bias=True, norm_eps=1e-3, same="tensorflow", norm_last=True),
    head=Head(dropout=0.4, hidden=(1000,)),
    rows={
        "Conv2d_1a_7x7": Row("7x7/2:64"),
        "MaxPool_2a_3x3": Row("max3x3/2"),
        "Conv2d_2c_3x3": Row("3x3:192"),
        "MaxPool_3a_3x3": Row("max3x3/2"),
        "Mixed_3b": uniform(64),
        "Mixed_3c": uniform(120),
        "MaxPool_4a_3x3": Row("max3x3/2"),
        **repeat("Mixed_", "4b 4c 4d", uniform(128)),
        "Mixed_4e": uniform(132),
        "Mixed_4f": uniform(208),
        "MaxPool_5a_3x3": Row("max3x3/2"),
        "Mixed_5b": uniform(208),
        "Mixed_5c": uniform(256),
    },
)
GOOGLENET_UNIFORM_PRINTED = GOOGLENET_UNIFORM.define(
    "printed", "as printed: 1x1 where the text says 5x5", rows=rewritten(GOOGLENET_UNIFORM.rows, "5x5", "1x1")
)
