"""Inception-v2: a reconstruction of arXiv:1512.00567, Table 1.

No source gives the module widths of the paper's Inception-v2 (its supplement is lost): the ones
here are those of the released Inception-v3, with a 3x3 in place of the 5x5 in its 35x35 modules
(Fig. 5 has no 5x5) and 64 filters after every pool there, for the printed 288. The last convolution
of the stem must be padded (35x35 stays 35x35) though the table does not say so. The paper's "less
than 25 million parameters" and its cost of 3.8 to 5 billion are not met by this reading.
``@stem7x7`` has the undivided stem of the first rows of Table 3.
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.models.printed import Printed, Published
from inception_bench.models.table import Row, Table
from inception_bench.models.tables.inception_v3 import INCEPTION_V3, STEM, aux, grid17, grid35

V3 = INCEPTION_V3.rows
MODULES = {
    "Mixed_5b": grid35(64, "1x1:48 3x3:64"),
    "Mixed_5c": grid35(64, "1x1:48 3x3:64"),
    "Mixed_5d": grid35(64, "1x1:48 3x3:64", "35x35x288 x3"),
    "Mixed_6a": V3["Mixed_6a"],
    "Mixed_6b": grid17(128),
    "Mixed_6c": grid17(160),
    "Mixed_6d": grid17(160),
    "Mixed_6e": grid17(160),
    "Mixed_6f": grid17(192, "17x17x768 x5"),
    **{name: V3[name] for name in ("Mixed_7a", "Mixed_7b", "Mixed_7c")},
}
INCEPTION_V2: Table = replace(
    INCEPTION_V3,
    name="inception_v2",
    note="a reconstruction: the paper's module widths are not published",
    aux=(aux("Mixed_6f", (0.01, 0.001)),),
    published=Published(0.784, 0.942, 'arXiv:1512.00567, Table 3, "Factorized 7x7" (21.6 % and 5.8 % error)'),
    rows={name: STEM[name] for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_3a_3x3")}
    | {
        "Conv2d_3b_3x3": Row("3x3V:80", paper="conv 3x3/1", printed="71x71x80"),
        "Conv2d_4a_3x3": Row("3x3/2V:192", paper="conv 3x3/2", printed="35x35x192"),
        "Conv2d_4b_3x3": Row("3x3:288", paper="conv 3x3/1", printed="35x35x288"),
    }
    | MODULES,
)
INCEPTION_V2_STEM7X7 = INCEPTION_V2.define(
    "stem7x7",
    "a reconstruction with the undivided 7x7 stem of Table 3",
    printed=Printed(macs=3.8e9),
    published=Published(0.766, None, 'arXiv:1512.00567, Table 3, "Inception-v2" (23.4 % top-1 error)'),
    rows={
        "Conv2d_1a_7x7": Row("7x7/2V:64"),
        "MaxPool_2a_3x3": Row("max3x3/2V"),
        "Conv2d_2b_1x1": Row("1x1:64"),
        "Conv2d_2c_3x3": Row("3x3V:192"),
        "MaxPool_3a_3x3": Row("max3x3/2V"),
    }
    | MODULES,
)
