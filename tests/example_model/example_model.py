"""A network of one's own: a table, and a second definition of it.

All that inception-bench needs are these objects, named in entry points of the group ``inception_bench.models``.
"""

from inception_bench.models.table import Head, Paper, Preprocessing, Row, Style, Table

SLIM_INCEPTION = Table(
    name="slim_inception",
    definition="",
    paper=Paper("A slim Inception", "where it can be read", 2026),
    rows={
        "Stem": Row("3x3/2:16"),
        "Mixed": Row("1x1:16", "1x1:16 3x3:24", "max3x3 1x1:8"),
    },
    style=Style(bias=False, norm_eps=1e-3),
    preprocessing=Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    input_size=64,
    least_input=32,
    head=Head(dropout=0.2),
)
AVERAGED = SLIM_INCEPTION.define(
    "averaged",
    "an average in place of the largest value",
    rows={**SLIM_INCEPTION.rows, "Mixed": Row("1x1:16", "1x1:16 3x3:24", "avg3x3 1x1:8")},
)
