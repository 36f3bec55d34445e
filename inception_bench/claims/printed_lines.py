"""A line of a paper's table: what is printed there, and what follows from its widths."""

from __future__ import annotations

from inception_bench.claims.measures import Figures, measure
from inception_bench.models.describe import PaperLine, paper_lines
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table


def find_line(model: str, line: str) -> PaperLine:
    """The line that prints figures under the name ``line`` in the paper of ``model``."""
    lines = [each for each in paper_lines(make_plan(find_table(model))) if each.paper == line and each.printed]
    if len(lines) != 1:
        raise ValueError(f"{model} has {len(lines)} printed lines {line!r}")
    return lines[0]


def printed_figure(model: str, line: str, what: str) -> float:
    """The params or MACs that the paper prints in that line."""
    figure: float | None = getattr(find_line(model, line).printed, what)
    if figure is None:
        raise ValueError(f"{model}: line {line!r} prints no {what}")
    return figure


@measure
def printed_line(model: str, line: str, what: str) -> Figures:
    """The weights (``what`` is params; no biases, as the papers count) or MACs of that line."""
    computed = find_line(model, line)
    return (computed.weights if what == "params" else computed.macs,)
