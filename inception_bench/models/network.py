"""A table as a torch module. One builder makes every network; it knows shapes from the plan alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from inception_bench.models.catalogue import find_table
from inception_bench.models.notation import Conv, Lrn, Pool
from inception_bench.models.plan import (
    AuxPlan,
    ForkPlan,
    Layer,
    Linear,
    Node,
    Plan,
    RowPlan,
    has_bias,
    has_norm,
    make_plan,
)
from inception_bench.models.table import Style

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": lambda: nn.ReLU(inplace=True), "sigmoid": nn.Sigmoid}


class Concat(nn.Module):
    """Branches side by side on one input (N, C, H, W); outputs concatenated along channels."""

    def __init__(self, branches: list[nn.Module]):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for branch in self.branches:
            outputs.append(branch(x))  # noqa: PERF401 - TorchScript reads no comprehension over modules
        return torch.cat(outputs, 1)


class ResidualRow(nn.Module):
    """``activation(x + scale * up(branches(x)))``, arXiv:1602.07261, Fig. 20."""

    def __init__(self, branches: nn.Module, up: nn.Module, scale: float, activation: nn.Module):
        super().__init__()
        self.branches = branches
        self.up = up
        self.scale = scale
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(x + self.scale * self.up(self.branches(x)))


class Classifier(nn.Module):
    """Global average pool, dropout, and one linear layer: (N, C, H, W) to logits (N, classes)."""

    def __init__(self, linear: Linear, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(linear.inputs, linear.outputs)

    def forward(self, x: Tensor) -> Tensor:
        # A mean over the map equals the papers' 7x7 and 8x8 averages at native size.
        return self.linear(self.dropout(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1)))


class AuxHead(nn.Module):
    """An auxiliary classifier: the map at its native grid, a branch, then linear layers."""

    def __init__(self, plan: AuxPlan, style: Style):
        super().__init__()
        self.to_native_grid = nn.AdaptiveAvgPool2d(plan.aux.grid)
        self.branch = make_branch(plan.branch, style)
        steps: list[nn.Module] = []
        for linear in plan.linears[:-1]:
            steps += [
                nn.Linear(linear.inputs, linear.outputs),
                ACTIVATIONS[style.activation](),
                nn.Dropout(plan.aux.dropout),
            ]
        last = plan.linears[-1]
        self.head = nn.Sequential(*steps, nn.Linear(last.inputs, last.outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(self.branch(self.to_native_grid(x)), 1))


class Network(nn.Module):
    """A network built from a table.

    ``forward(x)`` takes images (N, 3, H, W) and returns logits (N, classes), in training and in
    evaluation. ``forward_aux(x)`` also returns the aux logits by end point (an empty dict without
    aux heads). ``forward_rows(x)`` returns every end point's map, and the logits last.
    """

    def __init__(self, plan: Plan):
        super().__init__()
        style = plan.table.style
        self.rows = nn.ModuleDict({row.name: make_row(row, style) for row in plan.rows})
        self.classifier = Classifier(plan.classifier, plan.table.dropout)
        self.aux = nn.ModuleDict({head.aux.at: AuxHead(head, style) for head in plan.aux})

    def forward(self, x: Tensor) -> Tensor:
        for row in self.rows.values():
            x = row(x)
        return self.classifier(x)

    @torch.jit.export
    def forward_aux(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        found: dict[str, Tensor] = {}
        for name, row in self.rows.items():
            x = row(x)
            for at, head in self.aux.items():
                if at == name:
                    found[at] = head(x)
        return self.classifier(x), found

    @torch.jit.unused
    def forward_rows(self, x: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, row in self.rows.items():
            x = row(x)
            found[name] = x
        return {**found, "Logits": self.classifier(x)}


def create_model(name: str, *, num_classes: int = 1000, width_mult: float = 1.0, aux: bool = False) -> Network:
    """Build ``name`` or ``name@definition``, randomly initialised, in training mode like any module.

    ``width_mult`` scales every filter count (``max(int(n * width_mult), 16)``). Works under
    ``torch.device("meta")``. Raises UsageError for an unknown name, and ValueError where aux heads
    are asked of a network that has none.
    """
    table = find_table(name)
    if aux and not table.aux:
        raise ValueError(f"{table.address} has no aux heads; leave aux=False")
    return Network(make_plan(table, width_mult=width_mult, num_classes=num_classes, aux=aux))


def make_row(plan: RowPlan, style: Style) -> nn.Module:
    """One end point: its branches, joined; a residual row adds them to its input."""
    branches = [make_branch(branch, style) for branch in plan.branches]
    joined = branches[0] if len(branches) == 1 else Concat(branches)
    if plan.up is None:
        return joined
    activation = ACTIVATIONS[style.activation]() if plan.row.activated else nn.Identity()
    return ResidualRow(joined, make_layer(plan.up, style), float(plan.row.scale or 0.0), activation)


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
        return nn.LocalResponseNorm(layer.step.size, layer.step.alpha, layer.step.beta)
    if isinstance(layer.step, Conv):
        return make_conv(layer, layer.step, style)
    return make_pool(layer, layer.step, style)


def make_conv(layer: Layer, step: Conv, style: Style) -> nn.Module:
    """A convolution with its norm and activation, as the step and the style say."""
    left, right, top, bottom = layer.pads
    uneven = left != right or top != bottom
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    if uneven:
        steps["pad"] = nn.ZeroPad2d(layer.pads)
    steps["conv"] = nn.Conv2d(
        layer.input.channels,
        layer.output.channels,
        step.kernel,
        step.stride,
        padding=(0, 0) if uneven else (top, left),
        groups=layer.groups,
        bias=has_bias(step, style),
    )
    if has_norm(step, style):
        steps["norm"] = nn.BatchNorm2d(layer.output.channels, eps=float(style.norm_eps or 0.0))
    if step.after == "full":
        steps["activation"] = ACTIVATIONS[style.activation]()
    return nn.Sequential(steps)


def make_pool(layer: Layer, step: Pool, style: Style) -> nn.Module:
    """A max or average pool with its padding rule."""
    left, _, top, _ = layer.pads
    ceil = step.padding == "ceil"
    if step.kind == "max":
        return nn.MaxPool2d(step.kernel, step.stride, padding=(top, left), ceil_mode=ceil)
    return nn.AvgPool2d(step.kernel, step.stride, (top, left), ceil, style.counts_padding)
