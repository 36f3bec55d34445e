"""A table worked out for one width and input size: every layer with its shapes, by arithmetic.

The plan is what both the cost model and the torch builder read, so the two cannot drift apart.
Nothing here imports torch.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from inception_bench.errors import InputSizeError, UsageError
from inception_bench.models.notation import Branch, Conv, Fork, Lrn, Pool, Step
from inception_bench.models.table import Aux, Head, Row, Style, Table

LEAST_SCALED_FILTERS = 16


@dataclass(frozen=True)
class Shape:
    """Channels, rows and columns of one image's map."""

    channels: int
    height: int
    width: int

    @property
    def cells(self) -> int:
        return self.height * self.width


@dataclass(frozen=True)
class Layer:
    """A step between two shapes. ``pads`` are (left, right, top, bottom) of "same" padding."""

    step: Conv | Pool | Lrn
    input: Shape
    output: Shape
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def groups(self) -> int:
        if not isinstance(self.step, Conv):
            return 1
        return self.input.channels if self.step.depthwise else self.step.groups

    @property
    def weights(self) -> int:
        """Filter weights alone, as the papers count them."""
        if not isinstance(self.step, Conv):
            return 0
        height, width = self.step.kernel
        return height * width * self.input.channels // self.groups * self.output.channels

    def params(self, style: Style) -> int:
        """Weights, bias and the two parameters a channel of batch normalisation."""
        if not isinstance(self.step, Conv):
            return 0
        return self.weights + self.output.channels * (
            int(has_bias(self.step, style)) + 2 * int(has_norm(self.step, style))
        )

    def macs(self) -> int:
        """Multiply-accumulates for one image (a bias adds none)."""
        return self.weights * self.output.cells


@dataclass(frozen=True)
class ForkPlan:
    """Siblings with their shapes; ``output`` is their concatenation."""

    siblings: tuple[Layer, ...]
    output: Shape


Node = Layer | ForkPlan


@dataclass(frozen=True)
class RowPlan:
    """A row with its shapes. ``up`` is a residual row's linear 1x1, ``shortcut`` the branch that is added."""

    name: str
    row: Row
    input: Shape
    output: Shape
    branches: tuple[tuple[Node, ...], ...]
    up: Layer | None = None
    shortcut: tuple[Node, ...] | None = None

    def layers(self) -> list[Layer]:
        """Every layer in the order in which it runs."""
        layers = [layer for branch in (*self.branches, self.shortcut or ()) for layer in layers_of(branch)]
        return layers if self.up is None else [*layers, self.up]


@dataclass(frozen=True)
class Linear:
    """A fully connected layer of ``inputs`` by ``outputs`` weights and one bias for each output."""

    inputs: int
    outputs: int

    @property
    def params(self) -> int:
        return (self.inputs + 1) * self.outputs

    @property
    def macs(self) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True)
class HeadPlan:
    """A classifier with its shapes: the linear layers in order."""

    head: Head
    linears: tuple[Linear, ...]

    @property
    def outputs(self) -> int:
        return self.linears[-1].outputs

    @property
    def weights(self) -> int:
        return sum(linear.macs for linear in self.linears)  # each weight works once an image

    @property
    def params(self) -> int:
        return sum(linear.params for linear in self.linears)

    @property
    def macs(self) -> int:
        return sum(linear.macs for linear in self.linears)


@dataclass(frozen=True)
class AuxPlan:
    """An auxiliary head with its shapes: a branch on the native grid, then a classifier."""

    aux: Aux
    branch: tuple[Node, ...]
    head: HeadPlan

    def params(self, style: Style) -> int:
        return sum(layer.params(style) for layer in layers_of(self.branch)) + self.head.params


@dataclass(frozen=True)
class Plan:
    """A whole network with its shapes, for one width, input size and number of classes."""

    table: Table
    rows: tuple[RowPlan, ...]
    head: HeadPlan
    aux: tuple[AuxPlan, ...]
    width_mult: float = 1.0


def has_norm(step: Conv, style: Style) -> bool:
    """Whether batch normalisation follows this convolution."""
    return style.norm_eps is not None and step.after in ("full", "norm")


def has_bias(step: Conv, style: Style) -> bool:
    """Whether this convolution has a bias of its own."""
    return step.after in ("linear", "plain") or (style.bias and step.after != "bare")


def as_tensorflow(step: Conv | Pool, style: Style) -> bool:
    """Whether this step's "same" padding is laid as TensorFlow does: as little as needed, the odd cell after."""
    return step.padding == "tensorflow" or (step.padding == "same" and style.same == "tensorflow")


def scaled(filters: int, width_mult: float) -> int:
    """``filters`` at a width multiplier: rounded down, at least 16; the multiplier 1 changes nothing."""
    return filters if width_mult == 1 else max(int(filters * width_mult), LEAST_SCALED_FILTERS)


def make_plan(
    table: Table, *, input_size: int | None = None, width_mult: float = 1.0, num_classes: int = 1000, aux: bool = False
) -> Plan:
    """Work a table out for one width, number of classes and input size (pixels a side).

    Raises InputSizeError below the least input size, UsageError for an impossible scale, ValueError for a faulty table.
    """
    size = table.input_size if input_size is None else input_size
    _check_request(table, size, width_mult, num_classes)
    walk = _Walk(table.style, width_mult)
    shape, rows = Shape(table.in_channels, size, size), []
    for name, row in table.rows.items():
        rows.append(walk.row(name, row, shape))
        shape = rows[-1].output
    outputs = {row.name: row.output for row in rows}
    heads = tuple(walk.aux(head, outputs[head.at].channels, num_classes) for head in table.aux) if aux else ()
    return Plan(table, tuple(rows), walk.head(table.head, shape, num_classes), heads, width_mult)


def plan_row(name: str, row: Row, shape: Shape, style: Style, width_mult: float = 1.0) -> RowPlan:
    """Work one row out on an input of ``shape``: a module without a network."""
    return _Walk(style, width_mult).row(name, row, shape)


def layers_of(nodes: tuple[Node, ...]) -> list[Layer]:
    """The layers of a branch in the order in which they run."""
    return [layer for node in nodes for layer in (node.siblings if isinstance(node, ForkPlan) else (node,))]


def _check_request(table: Table, size: int, width_mult: float, num_classes: int) -> None:
    if table.native_only and (size != table.input_size or width_mult != 1):
        raise UsageError(
            f"{table.address} is a baseline: it takes {table.input_size} pixels and width_mult 1 only, "
            f"not {size} pixels and width_mult {width_mult}"
        )
    if size < table.least_input:
        raise InputSizeError(
            f"{table.address}: input size {size} is too small; the least is {table.least_input} pixels"
        )
    if num_classes < 1:
        raise UsageError(f"num_classes {num_classes} is not possible; give at least 1")
    if not width_mult > 0:
        raise UsageError(f"width_mult {width_mult} is not possible; give a number above 0, such as 0.25")


@dataclass(frozen=True)
class _Walk:
    style: Style
    width_mult: float

    def row(self, name: str, row: Row, shape: Shape) -> RowPlan:
        branches = tuple(self.branch(branch, shape) for branch in row.branches)
        joined = _concatenate([branch[-1].output for branch in branches], name)
        if row.shortcut is not None:
            shortcut = self.branch(row.shortcut, shape)
            if (shortcut[-1].output if shortcut else shape) != joined:
                raise ValueError(f"{name}: the shortcut's shape is not that of the branches; they cannot be added")
            return RowPlan(name, row, shape, joined, branches, shortcut=shortcut)
        if row.scale is None:
            return RowPlan(name, row, shape, joined, branches)
        up = Layer(Conv((1, 1), shape.channels, after="linear"), joined, shape)
        return RowPlan(name, row, shape, shape, branches, up)

    def branch(self, branch: Branch, shape: Shape) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for step in branch:
            nodes.append(self.node(step, shape))
            shape = nodes[-1].output
        return tuple(nodes)

    def node(self, step: Step, shape: Shape) -> Node:
        if isinstance(step, Fork):
            siblings = tuple(self.layer(sibling, shape) for sibling in step.siblings)
            return ForkPlan(siblings, _concatenate([sibling.output for sibling in siblings], "siblings"))
        return self.layer(step, shape)

    def layer(self, step: Conv | Pool | Lrn, shape: Shape) -> Layer:
        if isinstance(step, Lrn):
            return Layer(step, shape, shape)
        height, top, bottom = _along(step, 0, shape.height, self.style)
        width, left, right = _along(step, 1, shape.width, self.style)
        channels = shape.channels
        if isinstance(step, Conv):
            channels = channels * step.filters if step.depthwise else scaled(step.filters, self.width_mult)
        return Layer(step, shape, Shape(channels, height, width), (left, right, top, bottom))

    def head(self, head: Head, shape: Shape, num_classes: int) -> HeadPlan:
        features = shape.channels if head.pool else shape.channels * shape.cells
        widths = [features, *(scaled(width, self.width_mult) for width in head.hidden), num_classes]
        return HeadPlan(head, tuple(Linear(a, b) for a, b in itertools.pairwise(widths)))

    def aux(self, aux: Aux, channels: int, num_classes: int) -> AuxPlan:
        branch = self.branch(aux.branch, Shape(channels, aux.grid, aux.grid))
        return AuxPlan(aux, branch, self.head(aux.head, branch[-1].output, num_classes))


def _along(step: Conv | Pool, axis: int, size: int, style: Style) -> tuple[int, int, int]:
    """Output cells and the padding before and after, along one axis."""
    kernel, stride = step.kernel[axis], step.stride
    before = after = 0
    if as_tensorflow(step, style):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        before, after = total // 2, total - total // 2
    elif step.padding == "same":
        before = after = (kernel - 1) // 2
    room = size + before + after - kernel
    cells = (-(-room // stride) if step.padding == "ceil" else room // stride) + 1
    if cells < 1 or (room < 0 and step.padding != "ceil"):  # Caffe's rule lets one window reach over the edge
        raise InputSizeError(f"a {kernel}-wide window does not fit a grid of {size}")
    # Caffe and torch drop a last window that would start beyond the map.
    if step.padding == "ceil" and (cells - 1) * stride >= size:
        cells -= 1
    return cells, before, after


def _concatenate(shapes: list[Shape], where: str) -> Shape:
    grids = {(shape.height, shape.width) for shape in shapes}
    if len(grids) > 1:
        raise ValueError(f"{where}: branches end on different grids {sorted(grids)}; they cannot be concatenated")
    return Shape(sum(shape.channels for shape in shapes), shapes[0].height, shapes[0].width)
