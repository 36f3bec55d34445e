"""What a table says about its network, as values: one line for each end point, beside the paper's figures."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from inception_bench.models.complexity import CLASSIFIER_ROW, complexity
from inception_bench.models.notation import Branch, Conv, Fork, Pool, format_branch
from inception_bench.models.plan import Plan, RowPlan, make_plan
from inception_bench.models.printed import K_PARAMS, Printed, Published
from inception_bench.models.public import BASELINES, find_table, tables
from inception_bench.models.table import Row, Table

# A printed figure is rounded (to 0.1K or 1M at best) and counts weights alone. Where the figures
# follow from the widths, params agree within 2 %; where they do not, the smallest error is 5 %.
PARAMS_TOLERANCE = 0.03
MACS_TOLERANCE = 0.02
MACS_ROUNDING = 0.7e6
TOTAL_TOLERANCE = 0.10  # sums in the text are loose: "1.5 billion", "about 60 million"
TOLERANCES = (
    f"weights without biases within {PARAMS_TOLERANCE:.0%} (K = {K_PARAMS}), MACs within {MACS_TOLERANCE:.0%} or "
    f"{MACS_ROUNDING / 1e6}M (M = 1e6), sums within {TOTAL_TOLERANCE:.0%}, outputs exactly"
)


@dataclass(frozen=True)
class Line:
    """One end point. ``output`` is (rows, columns, channels); ``weights`` are params without biases and norms.

    ``printed`` are the paper's figures for the end point; ``disagrees`` names those that do not follow from the
    table. A line of the paper that stands for several end points is compared as a whole, at the last of them.
    """

    row: str
    paper: str
    kind: str
    kernel: str
    branches: tuple[str, ...]
    output: tuple[int, int, int]
    params: int
    weights: int
    macs: int
    printed: Printed
    disagrees: tuple[str, ...]


@dataclass(frozen=True)
class PaperLine:
    """A line of the paper's table: neighbouring rows of one name. ``weights`` are params without biases and norms.

    ``printed`` are the figures of the line; the table has them at the line's last row, or at the classifier.
    """

    paper: str
    rows: tuple[RowPlan, ...]
    weights: int
    macs: int
    printed: Printed


@dataclass(frozen=True)
class Description:
    """A network as its table says, worked out for one input size in pixels; sums are without aux heads."""

    model: str
    definition: str
    title: str
    source: str
    year: int | None
    note: str
    input_size: int
    least_input: int
    params: int
    params_with_aux: int
    macs: int
    aux: tuple[str, ...]
    published: Published
    printed: Printed
    disagrees: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Summary:
    """One line of the list of networks."""

    model: str
    definition: str
    baseline: bool
    source: str
    year: int | None
    input_size: int
    params: int
    macs: int
    published: Published
    note: str


def summaries(definitions: bool = False) -> list[Summary]:
    """Every network, and with ``definitions`` every other definition too."""
    return [_summary(table) for table in tables().values() if definitions or not table.definition]


def describe(name: str, *, input_size: int | None = None, width_mult: float = 1.0) -> Description:
    """Describe ``name`` or ``name@definition``. Raises UsageError as ``complexity`` does.

    The paper's figures are compared at native size and width only.
    """
    table = find_table(name)
    plan = make_plan(table, input_size=input_size, width_mult=width_mult)
    native = width_mult == 1 and input_size in (None, table.input_size)
    cost = complexity(name, input_size=input_size, width_mult=width_mult, aux=bool(table.aux))
    printed = table.printed if native else Printed()
    return Description(
        model=table.name,
        definition=table.definition,
        title=table.paper.title,
        source=table.paper.source,
        year=table.paper.year,
        note=table.note,
        input_size=table.input_size if input_size is None else input_size,
        least_input=table.least_input,
        params=cost.params_without_aux,
        params_with_aux=cost.params,
        macs=cost.macs,
        aux=tuple(aux.at for aux in table.aux),
        published=table.published,
        printed=printed,
        disagrees=_sums_apart(printed, cost.params_without_aux, cost.macs),
        lines=tuple(_lines(plan, native)),
    )


def paper_lines(plan: Plan) -> list[PaperLine]:
    """The lines of the paper's table in order, the classifier last."""
    lines = []
    for name, group in itertools.groupby(plan.rows, key=lambda row: row.row.paper or row.name):
        rows = tuple(group)
        weights = sum(layer.weights for row in rows for layer in row.layers())
        macs = sum(layer.macs() for row in rows for layer in row.layers())
        lines.append(PaperLine(name, rows, weights, macs, rows[-1].row.printed))
    head = plan.head
    return [*lines, PaperLine(head.head.paper, (), head.weights, head.macs, head.head.printed)]


def _summary(table: Table) -> Summary:
    cost = complexity(table.address)
    return Summary(
        table.name,
        table.definition,
        table.name in BASELINES,
        table.paper.source,
        table.paper.year,
        table.input_size,
        cost.params,
        cost.macs,
        table.published,
        table.note,
    )


def _lines(plan: Plan, native: bool) -> list[Line]:
    described = []
    *lines, _ = paper_lines(plan)
    for line in lines:
        for row in line.rows:
            printed = row.row.printed if native else Printed()
            apart = _apart(printed, _output(row), line.weights, line.macs, len(line.rows))
            described.append(_line(plan, row, printed, apart))
    head, printed = plan.head, plan.head.head.printed if native else Printed()
    output = (1, 1, head.outputs)
    apart = _apart(printed, output, head.weights, head.macs, 1)
    widths = " ".join(str(linear.outputs) for linear in head.linears)
    figures = (head.params, head.weights, head.macs)
    return [
        *described,
        Line(CLASSIFIER_ROW, head.head.paper, "linear", "", (widths,), output, *figures, printed, apart),
    ]


def _line(plan: Plan, row: RowPlan, printed: Printed, apart: tuple[str, ...]) -> Line:
    layers = row.layers()
    return Line(
        row.name,
        row.row.paper,
        kind(row.row),
        kernel(row.row),
        tuple(format_branch(branch) for branch in row.row.branches),
        _output(row),
        sum(layer.params(plan.table.style) for layer in layers),
        sum(layer.weights for layer in layers),
        sum(layer.macs() for layer in layers),
        printed,
        apart,
    )


def kind(row: Row) -> str:
    """What a row is: convolution, max pool, average pool, module, reduction or residual."""
    if row.scale is not None or row.shortcut is not None:
        return "residual"
    if len(row.branches) > 1:
        return "reduction" if any(_stride(branch) > 1 for branch in row.branches) else "module"
    step = row.branches[0][0]
    if isinstance(step, Pool):
        return "max pool" if step.kind == "max" else "average pool"
    return "convolution"


def kernel(row: Row) -> str:
    """Kernel and stride of a row of one branch, as the papers print them (7x7/2); empty for modules."""
    if len(row.branches) > 1 or row.shortcut is not None:
        return ""
    steps = [step for step in row.branches[0] if isinstance(step, Conv | Pool)]
    return " ".join(f"{step.kernel[0]}x{step.kernel[1]}/{step.stride}" for step in steps)


def _stride(branch: Branch) -> int:
    stride = 1
    for step in branch:
        siblings = step.siblings if isinstance(step, Fork) else (step,)
        stride *= max((sibling.stride for sibling in siblings if isinstance(sibling, Conv | Pool)), default=1)
    return stride


def _output(row: RowPlan) -> tuple[int, int, int]:
    return row.output.height, row.output.width, row.output.channels


def _apart(printed: Printed, output: tuple[int, int, int], weights: int, macs: int, rows: int) -> tuple[str, ...]:
    """Which printed figures of a line do not follow from its widths."""
    names = []
    if printed.output is not None and printed.output != output:
        names.append("output")
    if printed.params is not None and abs(printed.params - weights) > PARAMS_TOLERANCE * weights:
        names.append("params")
    if printed.macs is not None and abs(printed.macs - macs) > max(MACS_TOLERANCE * macs, MACS_ROUNDING):
        names.append("macs")
    if printed.rows is not None and printed.rows != rows:
        names.append("rows")
    return tuple(names)


def _sums_apart(printed: Printed, params: int, macs: int) -> tuple[str, ...]:
    pairs = (("params", printed.params, params), ("macs", printed.macs, macs))
    return tuple(name for name, said, own in pairs if said is not None and abs(said - own) > TOTAL_TOLERANCE * own)
