"""A table worked out for one width and input size: every layer with its shapes, by arithmetic.

The plan is what both the cost model and the torch builder read, so the two cannot drift apart.
Nothing here imports torch.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from inception_bench.errors import InputSizeError
from inception_bench.models.notation import Branch, Conv, Fork, Lrn, Pool, Step
from inception_bench.models.table import Aux, Row, Style, Table

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
        return self.input.channels if isinstance(self.step, Conv) and self.step.depthwise else 1

    def params(self, style: Style) -> int:
        """Weights, bias and the two parameters a channel of batch normalisation."""
        if not isinstance(self.step, Conv):
            return 0
        return self._weights() + self.output.channels * (
            int(has_bias(self.step, style)) + 2 * int(has_norm(self.step, style))
        )

    def macs(self) -> int:
        """Multiply-accumulates for one image (a bias adds none)."""
        return self._weights() * self.output.cells

    def _weights(self) -> int:
        if not isinstance(self.step, Conv):
            return 0
        height, width = self.step.kernel
        return height * width * self.input.channels // self.groups * self.output.channels


@dataclass(frozen=True)
class ForkPlan:
    """Siblings with their shapes; ``output`` is their concatenation."""

    siblings: tuple[Layer, ...]
    output: Shape


Node = Layer | ForkPlan


@dataclass(frozen=True)
class RowPlan:
    """A row with its shapes. ``up`` is the linear 1x1 of a residual row."""

    name: str
    row: Row
    input: Shape
    output: Shape
    branches: tuple[tuple[Node, ...], ...]
    up: Layer | None = None

    def layers(self) -> list[Layer]:
        """Every layer in the order in which it runs."""
        found = [layer for branch in self.branches for node in branch for layer in _layers(node)]
        return found if self.up is None else [*found, self.up]


@dataclass(frozen=True)
class Linear:
    """A fully connected layer of ``inputs`` by ``outputs`` weights and a bias an output."""

    inputs: int
    outputs: int

    @property
    def params(self) -> int:
        return (self.inputs + 1) * self.outputs

    @property
    def macs(self) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True)
class AuxPlan:
    """An auxiliary head with its shapes: a branch on the native grid, then linear layers."""

    aux: Aux
    branch: tuple[Node, ...]
    linears: tuple[Linear, ...]

    def params(self, style: Style) -> int:
        convs = sum(layer.params(style) for node in self.branch for layer in _layers(node))
        return convs + sum(linear.params for linear in self.linears)


@dataclass(frozen=True)
class Plan:
    """A whole network with its shapes, for one width, input size and number of classes."""

    table: Table
    rows: tuple[RowPlan, ...]
    classifier: Linear
    aux: tuple[AuxPlan, ...]


def has_norm(step: Conv, style: Style) -> bool:
    """Whether batch normalisation follows this convolution."""
    return style.norm_eps is not None and step.after in ("full", "norm")


def has_bias(step: Conv, style: Style) -> bool:
    """Whether this convolution has a bias of its own."""
    return step.after == "linear" or (style.bias and step.after != "bare")


def scaled(filters: int, width_mult: float) -> int:
    """``filters`` at a width multiplier: rounded down, at least 16; the multiplier 1 changes nothing."""
    return filters if width_mult == 1 else max(int(filters * width_mult), LEAST_SCALED_FILTERS)


def make_plan(
    table: Table, *, input_size: int | None = None, width_mult: float = 1.0, num_classes: int = 1000, aux: bool = False
) -> Plan:
    """Work a table out. Raises InputSizeError below the network's least input, naming the least."""
    size = table.input_size if input_size is None else input_size
    if size < table.least_input:
        raise InputSizeError(
            f"{table.address}: input size {size} is too small; the least is {table.least_input} pixels"
        )
    if num_classes < 1:
        raise ValueError(f"num_classes {num_classes} is not possible; give at least 1")
    if not width_mult > 0:
        raise ValueError(f"width_mult {width_mult} is not possible; give a number above 0, such as 0.25")
    walk = _Walk(table.style, width_mult)
    shape, rows = Shape(3, size, size), []
    for name, row in table.rows.items():
        rows.append(walk.row(name, row, shape))
        shape = rows[-1].output
    outputs = {row.name: row.output for row in rows}
    heads = tuple(walk.aux(head, outputs[head.at].channels, num_classes) for head in table.aux) if aux else ()
    return Plan(table, tuple(rows), Linear(shape.channels, num_classes), heads)


@dataclass(frozen=True)
class _Walk:
    style: Style
    width_mult: float

    def row(self, name: str, row: Row, shape: Shape) -> RowPlan:
        branches = tuple(self.branch(branch, shape) for branch in row.branches)
        joined = _concatenate([branch[-1].output for branch in branches], name)
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
        height, top, bottom = _along(step, 0, shape.height, self.style.same)
        width, left, right = _along(step, 1, shape.width, self.style.same)
        channels = shape.channels
        if isinstance(step, Conv):
            channels = channels * step.filters if step.depthwise else scaled(step.filters, self.width_mult)
        return Layer(step, shape, Shape(channels, height, width), (left, right, top, bottom))

    def aux(self, head: Aux, channels: int, num_classes: int) -> AuxPlan:
        branch = self.branch(head.branch, Shape(channels, head.grid, head.grid))
        output = branch[-1].output
        widths = [
            output.channels * output.cells,
            *(scaled(width, self.width_mult) for width in head.hidden),
            num_classes,
        ]
        return AuxPlan(head, branch, tuple(Linear(a, b) for a, b in itertools.pairwise(widths)))


def _along(step: Conv | Pool, axis: int, size: int, same: str) -> tuple[int, int, int]:
    """Output cells and the padding before and after, along one axis."""
    kernel, stride = step.kernel[axis], step.stride
    before = after = 0
    if step.padding == "same" and same == "tensorflow":
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        before, after = total // 2, total - total // 2
    elif step.padding == "same":
        before = after = (kernel - 1) // 2
    room = size + before + after - kernel
    cells = (-(-room // stride) if step.padding == "ceil" else room // stride) + 1
    if cells < 1:
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


def _layers(node: Node) -> tuple[Layer, ...]:
    return node.siblings if isinstance(node, ForkPlan) else (node,)
