"""A table as a torch module. One builder makes every network; it knows shapes from the plan alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from inception_bench.errors import UsageError
from inception_bench.models.initialise import initialise
from inception_bench.models.layers import Concat, ResponseNorm, SameMaxPool, SamePad
from inception_bench.models.notation import Conv, Lrn, Pool
from inception_bench.models.plan import (
    AuxPlan,
    ForkPlan,
    HeadPlan,
    Layer,
    Node,
    Plan,
    RowPlan,
    as_tensorflow,
    has_bias,
    has_norm,
    make_plan,
)
from inception_bench.models.table import Style, Table

# The ignored type error stands here because TorchScript would read such a comment in a scripted function as its own.
is_tracing: Callable[[], bool] = torch.jit.is_tracing  # type: ignore[attr-defined]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": lambda: nn.ReLU(inplace=True), "sigmoid": nn.Sigmoid}


class ResidualRow(nn.Module):
    """``activation(x + scale * up(branches(x)))``, arXiv:1602.07261, Fig. 20."""

    def __init__(self, branches: nn.Module, up: nn.Module, scale: float, activation: nn.Module):
        super().__init__()
        self.branches = branches
        self.up = up
        self.scale = scale
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(torch.add(x, self.up(self.branches(x)), alpha=self.scale))
        return y


class ShortcutRow(nn.Module):
    """``activation(shortcut(x) + branches(x))``, arXiv:1512.03385, Fig. 5."""

    def __init__(self, branches: nn.Module, shortcut: nn.Module, activation: nn.Module):
        super().__init__()
        self.branches = branches
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(self.shortcut(x) + self.branches(x))
        return y


class AuxHead(nn.Module):
    """An auxiliary classifier: the map at its native grid, a branch, then linear layers."""

    def __init__(self, plan: AuxPlan, style: Style):
        super().__init__()
        self.to_native_grid = nn.AdaptiveAvgPool2d(plan.aux.grid)
        self.branch = make_branch(plan.branch, style)
        self.head = make_head(plan.head, style)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.branch(self.to_native_grid(x)))
        return logits


class Network(nn.Module):
    """A network built from a table.

    ``forward(x)`` takes images (N, 3, H, W) and returns logits (N, classes), in training and in
    evaluation. ``forward_aux(x)`` also returns the aux logits by end point (an empty dict without
    aux heads). ``forward_rows(x)`` returns the map (N, C, H, W) of every end point, and the logits last, as ``Logits``.
    ``plan`` is what the network was built from. ``forward`` and ``forward_aux`` raise ValueError for images under the
    table's least input.
    """

    def __init__(self, plan: Plan):
        super().__init__()
        style = plan.table.style
        self.plan = plan
        self.address = plan.table.address
        self.least_input = plan.table.least_input
        self.rows = nn.ModuleDict({row.name: make_row(row, style) for row in plan.rows})
        self.classifier = make_head(plan.head, style)
        self.aux = nn.ModuleDict({head.aux.at: AuxHead(head, style) for head in plan.aux})

    def forward(self, x: Tensor) -> Tensor:
        self.check(x)
        for row in self.rows.values():
            x = row(x)
        logits: Tensor = self.classifier(x)
        return logits

    def check(self, x: Tensor) -> None:
        """Raise ValueError where an image is under the least input."""
        if is_tracing():
            return  # a trace would take the comparison for data
        if x.shape[2] < self.least_input or x.shape[3] < self.least_input:
            raise ValueError(
                f"{self.address}: an image of {x.shape[2]}x{x.shape[3]} is too small; the least is "
                f"{self.least_input} pixels"
            )

    @torch.jit.export
    def forward_aux(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        self.check(x)
        aux_logits: dict[str, Tensor] = {}
        for name, row in self.rows.items():
            x = row(x)
            for at, head in self.aux.items():
                if at == name:
                    aux_logits[at] = head(x)
        return self.classifier(x), aux_logits

    @torch.jit.unused
    def forward_rows(self, x: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = {}
        for name, row in self.rows.items():
            x = row(x)
            maps[name] = x
        return {**maps, "Logits": self.classifier(x)}


def build(table: Table, *, num_classes: int = 1000, width_mult: float = 1.0, aux: bool = False) -> Network:
    """Build a network from any table, as ``create_model`` does from a known one. Raises as ``create_model``."""
    if aux and not table.aux:
        raise UsageError(f"{table.address} has no aux heads; leave aux=False")
    network = Network(make_plan(table, width_mult=width_mult, num_classes=num_classes, aux=aux))
    initialise(network, {head.aux.at: head.aux.stds for head in network.plan.aux})
    return network


def make_row(plan: RowPlan, style: Style) -> nn.Module:
    """One end point: its branches, joined; a residual row adds them to its input."""
    branches = [make_branch(branch, style) for branch in plan.branches]
    joined = branches[0] if len(branches) == 1 else Concat(branches)
    if plan.up is None and plan.shortcut is None:
        return joined
    activation = ACTIVATIONS[style.activation]() if plan.row.activated else nn.Identity()
    if plan.up is not None:
        return ResidualRow(joined, make_layer(plan.up, style), float(plan.row.scale or 0.0), activation)
    return ShortcutRow(joined, make_branch(plan.shortcut or (), style), activation)


def make_head(plan: HeadPlan, style: Style) -> nn.Module:
    """A classifier: (N, C, H, W) to logits (N, classes)."""
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    if plan.head.pool:
        # A mean over the map equals the papers' 7x7 and 8x8 averages at native size.
        steps["pool"] = nn.AdaptiveAvgPool2d(1)
    steps["flatten"] = nn.Flatten(1)
    if plan.head.dropout:
        steps["dropout"] = nn.Dropout(plan.head.dropout)
    *hidden, last = plan.linears
    for number, linear in enumerate(hidden, 1):
        steps[f"hidden_{number}"] = nn.Linear(linear.inputs, linear.outputs)
        steps[f"activation_{number}"] = ACTIVATIONS[style.activation]()
        if plan.head.hidden_dropout:
            steps[f"dropout_{number}"] = nn.Dropout(plan.head.hidden_dropout)
    steps["linear"] = nn.Linear(last.inputs, last.outputs)
    return nn.Sequential(steps)


def make_branch(nodes: tuple[Node, ...], style: Style) -> nn.Module:
    """Steps in sequence."""
    return nn.Sequential(*(make_node(node, style) for node in nodes))


def make_node(node: Node, style: Style) -> nn.Module:
    """One step, or siblings side by side."""
    if isinstance(node, ForkPlan):
        return Concat([make_layer(sibling, style) for sibling in node.siblings])
    return make_layer(node, style)


def make_layer(layer: Layer, style: Style) -> nn.Module:
    """One step: a pool, a response normalisation, or a convolution with what follows it."""
    if isinstance(layer.step, Lrn):
        return ResponseNorm(layer.step.size, layer.step.alpha, layer.step.beta)
    if isinstance(layer.step, Conv):
        return make_conv(layer, layer.step, style)
    return make_pool(layer, layer.step, style)


def make_conv(layer: Layer, step: Conv, style: Style) -> nn.Module:
    """A convolution with its norm and activation, as the step and the style say."""
    left, _, top, _ = layer.pads
    by_size = step.stride > 1 and as_tensorflow(step, style)
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    if by_size:
        steps["pad"] = SamePad(step.kernel, step.stride)
    steps["conv"] = nn.Conv2d(
        layer.input.channels,
        layer.output.channels,
        step.kernel,
        step.stride,
        padding=(0, 0) if by_size else (top, left),
        groups=layer.groups,
        bias=has_bias(step, style),
    )
    if has_norm(step, style):
        steps["norm"] = nn.BatchNorm2d(layer.output.channels, eps=float(style.norm_eps or 0.0))
    if step.after in ("full", "plain"):
        steps["activation"] = ACTIVATIONS[style.activation]()
    if style.norm_last and "norm" in steps:
        steps.move_to_end("norm")
    return nn.Sequential(steps)


def make_pool(layer: Layer, step: Pool, style: Style) -> nn.Module:
    """A max or average pool with its padding rule."""
    left, _, top, _ = layer.pads
    by_size = step.stride > 1 and as_tensorflow(step, style)
    if step.kind == "max" and by_size:
        return SameMaxPool(step.kernel, step.stride)
    if by_size:
        raise UsageError("a strided average pool is written with V or C: no network pads one as TensorFlow does")
    ceil = step.padding == "ceil"
    if step.kind == "max":
        return nn.MaxPool2d(step.kernel, step.stride, padding=(top, left), ceil_mode=ceil)
    return nn.AvgPool2d(step.kernel, step.stride, (top, left), ceil, style.counts_padding)
