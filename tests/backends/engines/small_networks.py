"""A network of two rows, so that even compilers are done in seconds. Found through an entry point."""

from inception_bench.models.table import Paper, Preprocessing, Row, Style, Table

SMALL = Table(
    name="small",
    definition="",
    paper=Paper("A network for tests", "tests/backends", 2024),
    rows={
        "Stem": Row("3x3/2:16"),
        "Mixed": Row("1x1:16", "1x5:16", "avg3x3 1x1:16"),
    },
    style=Style(bias=False, norm_eps=1e-3),
    preprocessing=Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    input_size=32,
    least_input=16,
)
