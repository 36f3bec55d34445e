"""How other code names the weights of a network, worked out from its table.

A *slot* is a place that holds weights: a convolution of a row or aux head, or a linear layer. A
*naming* says what a slot is called in a file. Nothing here lists keys; nothing imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

from inception_bench.models.notation import Branch, Conv, Fork
from inception_bench.models.plan import ForkPlan, HeadPlan, Layer, Node, Plan, RowPlan, has_bias, has_norm

UP, SHORTCUT = -1, -2
NORM_PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Slot:
    """A convolution of ``row``, the row with the ``number`` (from 0), or of an aux head on that row.

    ``aux`` is 0 in the trunk, else the number of the head (from 1). ``branch`` is the convolution's branch (-1 for a
    residual row's 1x1, -2 for a shortcut), ``step`` its place in the branch and ``sibling`` its place in a fork (-1
    outside of forks). ``prefix`` is our own name of the slot.
    """

    prefix: str
    number: int
    row: RowPlan
    layer: Layer
    branch: int
    step: int
    sibling: int = -1
    aux: int = 0


@dataclass(frozen=True)
class Naming:
    """One code's names. ``conv`` and ``norm`` give a slot's prefixes.

    ``linear`` gives a linear layer's prefix from the number of its head (0 is the main one), its place in the head
    (from 1) and our own prefix. ``beside`` are prefixes of other tensors in such files, such as another classifier;
    ``headless`` files do not fill the classifier.
    """

    source: str
    conv: Callable[[Slot], str]
    norm: Callable[[Slot], str]
    linear: Callable[[int, int, str], str]
    beside: tuple[str, ...] = ()
    headless: bool = False


@dataclass(frozen=True)
class Entry:
    """A tensor of a network: our key, its shape, whether an aux head holds it, and whether it may be left out."""

    key: str
    shape: tuple[int, ...]
    aux: bool
    optional: bool = False


def slots(plan: Plan) -> Iterator[Slot]:
    """Every convolution of a plan, trunk first."""
    places = {row.name: (number, row) for number, row in enumerate(plan.rows)}
    for number, row in places.values():
        yield from _row_slots(number, row)
    for count, head in enumerate(plan.aux, 1):
        for slot in _branch_slots(*places[head.aux.at], f"aux.{head.aux.at}.branch", 0, head.branch):
            yield replace(slot, aux=count)


def entries(plan: Plan, naming: Naming) -> dict[str, Entry]:
    """What ``naming`` calls each tensor of the plan."""
    named: dict[str, Entry] = {}
    style = plan.table.style
    for slot in slots(plan):
        step, layer, aux = cast(Conv, slot.layer.step), slot.layer, slot.aux > 0
        channels = (layer.output.channels,)
        filters = (*channels, layer.input.channels // layer.groups, *step.kernel)
        ours, theirs = f"{slot.prefix}.conv", naming.conv(slot)
        named[f"{theirs}.weight"] = Entry(f"{ours}.weight", filters, aux)
        if has_bias(step, style):
            named[f"{theirs}.bias"] = Entry(f"{ours}.bias", channels, aux)
        if has_norm(step, style):
            for part in NORM_PARTS:
                counter = part == "num_batches_tracked"
                entry = Entry(f"{slot.prefix}.norm.{part}", () if counter else channels, aux, counter)
                named[f"{naming.norm(slot)}.{part}"] = entry
    for number, head in enumerate([plan.head, *(aux.head for aux in plan.aux)]):
        if number or not naming.headless:
            ours = f"aux.{plan.aux[number - 1].aux.at}.head" if number else "classifier"
            named.update(_linear_entries(head, ours, number, naming))
    return named


def _linear_entries(head: HeadPlan, ours: str, number: int, naming: Naming) -> dict[str, Entry]:
    named, last = {}, len(head.linears)
    for place, linear in enumerate(head.linears, 1):
        name = f"{ours}.linear" if place == last else f"{ours}.hidden_{place}"
        theirs = naming.linear(number, place, name)
        named[f"{theirs}.weight"] = Entry(f"{name}.weight", (linear.outputs, linear.inputs), number > 0)
        named[f"{theirs}.bias"] = Entry(f"{name}.bias", (linear.outputs,), number > 0)
    return named


def _row_slots(number: int, row: RowPlan) -> Iterator[Slot]:
    residual = row.up is not None or row.shortcut is not None
    base = f"rows.{row.name}" + (".branches" if residual else "")
    for place, branch in enumerate(row.branches):
        prefix = f"{base}.branches.{place}" if len(row.branches) > 1 else base
        yield from _branch_slots(number, row, prefix, place, branch)
    if row.shortcut is not None:
        yield from _branch_slots(number, row, f"rows.{row.name}.shortcut", SHORTCUT, row.shortcut)
    if row.up is not None:
        yield Slot(f"rows.{row.name}.up", number, row, row.up, UP, 0)


def _branch_slots(number: int, row: RowPlan, prefix: str, branch: int, nodes: tuple[Node, ...]) -> Iterator[Slot]:
    for step, node in enumerate(nodes):
        if isinstance(node, ForkPlan):
            for place, layer in enumerate(node.siblings):
                yield Slot(f"{prefix}.{step}.branches.{place}", number, row, layer, branch, step, place)
        elif isinstance(node.step, Conv):
            yield Slot(f"{prefix}.{step}", number, row, node, branch, step)


def convolutions(branch: Branch) -> int:
    """How many steps of a branch hold weights."""
    return sum(isinstance(step, Conv | Fork) for step in branch)


def square_kernels(branch: Branch) -> tuple[int, ...]:
    """The sides of a branch's kernels above 1x1, with 1xn and nx1 in sequence or side by side taken as one."""
    sides: list[int] = []
    half = 0
    for step in branch:
        if isinstance(step, Fork):
            sides.append(max(side for sibling in step.siblings for side in sibling.kernel))
        elif isinstance(step, Conv) and step.kernel != (1, 1):
            height, width = step.kernel
            if height == width:
                sides.append(height)
            elif half:
                sides.append(half)
                half = 0
            else:
                half = max(height, width)
    return tuple(sides)
