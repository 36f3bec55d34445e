"""Small faults of the kind that exporters and reimplementations really have, put in on purpose.

A parity limit is worth something only if it tells such a fault from rounding. Each mutation changes
one place of a network and can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inception_bench.models.layers import Concat
from inception_bench.models.network import Network


@dataclass(frozen=True)
class Mutation:
    """A fault ``kind`` (kernel, pool, padding, order) at ``where``; ``apply`` puts it in and returns what undoes it."""

    kind: str
    where: str
    apply: Callable[[], Callable[[], None]]

    @contextmanager
    def applied(self) -> Iterator[None]:
        undo = self.apply()
        try:
            yield
        finally:
            undo()


def list_mutations(model: Network, images: Tensor) -> list[Mutation]:
    """Each kind of fault at the first and at the last place where ``model`` can have it; padding everywhere at once.

    A late fault passes through few layers and an early one through many, so the fault that changes the logits least
    is expected at one of these two ends. ``images`` are (N, 3, H, W). A window whose rim never meets the map (as on
    the 1x1 grids of small ``images``) is no place for a fault of its kernel or its pool: nothing would change.
    """
    mutations: list[Mutation] = []
    wide = _modules_with_rim(model, images)
    for kind, places in (("kernel", _kernels(model, wide)), ("pool", _pools(model, wide)), ("order", _orders(model))):
        ends = dict(places[:1] + places[-1:])
        mutations += [Mutation(kind, where, apply) for where, apply in ends.items()]
    averages = [module for module in model.rows.modules() if isinstance(module, nn.AvgPool2d) and _is_padded(module)]
    if averages:
        mutations.append(Mutation("padding", "every average pool", lambda: _flip_padding(averages)))
    return mutations


def mutation_errors(model: Network, images: Tensor, spread: float) -> dict[str, float]:
    """For each mutation the largest change of a logit, divided by ``spread``: the parity error that it would have."""
    with torch.inference_mode():
        right = model(images)
        errors = {}
        for mutation in list_mutations(model, images):
            with mutation.applied():
                errors[f"{mutation.kind} at {mutation.where}"] = float((model(images) - right).abs().max()) / spread
    return errors


def row_mutation_errors(model: Network, images: Tensor, spreads: dict[str, float]) -> dict[str, dict[str, float]]:
    """For each end point and mutation the largest change of a value there, divided by the end point's spread."""
    with torch.inference_mode():
        right = model.forward_rows(images)
        errors: dict[str, dict[str, float]] = {name: {} for name in right}
        for mutation in list_mutations(model, images):
            with mutation.applied():
                for name, mutated in model.forward_rows(images).items():
                    change = float((mutated - right[name]).abs().max()) / spreads[name]
                    errors[name][f"{mutation.kind} at {mutation.where}"] = change
    return errors


Place = tuple[str, Callable[[], Callable[[], None]]]


def _is_padded(pool: nn.AvgPool2d) -> bool:
    return pool.padding not in (0, (0, 0))


def _modules_with_rim(model: Network, images: Tensor) -> set[nn.Module]:
    """Convolutions and pools whose window reaches the map with its rim, not with its middle alone."""
    with_rim: set[nn.Module] = set()

    def note_rim(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kernel = module.kernel_size if isinstance(module.kernel_size, tuple) else (module.kernel_size,) * 2
        if any(cells > extent // 2 > 0 for extent, cells in zip(kernel, inputs[0].shape[-2:], strict=True)):
            with_rim.add(module)

    windowed = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d
    hooks = [module.register_forward_hook(note_rim) for module in model.rows.modules() if isinstance(module, windowed)]
    with torch.inference_mode():
        model(images[:1])
    for hook in hooks:
        hook.remove()
    return with_rim


def _kernels(model: Network, wide: set[nn.Module]) -> list[Place]:
    """Convolutions inside modules whose kernel can lose its rim (5x5 to 3x3, 1x7 to 1x5)."""
    return [
        (name, lambda conv=module: _crop_kernel(conv))  # type: ignore[misc]
        for name, module in model.rows.named_modules()
        if isinstance(module, nn.Conv2d) and module in wide and any(module.padding)
    ]


def _pools(model: Network, wide: set[nn.Module]) -> list[Place]:
    """Pools that can take the average for the maximum, or the other way round."""
    return [
        (f"{name}.{child}", lambda parent=parent, child=child: _swap_pool(parent, child))  # type: ignore[misc]
        for name, parent in model.rows.named_modules()
        for child, module in parent.named_children()
        if isinstance(module, nn.MaxPool2d | nn.AvgPool2d) and module in wide
    ]


def _orders(model: Network) -> list[Place]:
    """Concatenations whose first two branches can be exchanged."""
    return [
        (name, lambda concat=module: _swap_branches(concat))  # type: ignore[misc]
        for name, module in model.rows.named_modules()
        if isinstance(module, Concat)
    ]


def _crop_kernel(conv: nn.Conv2d) -> Callable[[], None]:
    weight, size, padding = conv.weight, conv.kernel_size, conv.padding
    rows, columns = (slice(1, -1) if extent > 1 else slice(None) for extent in size)
    conv.weight = nn.Parameter(weight[:, :, rows, columns].clone(), requires_grad=False)
    conv.kernel_size = tuple(extent - 2 if extent > 1 else 1 for extent in size)
    conv.padding = tuple(max(int(pad) - 1, 0) for pad in padding)

    def undo() -> None:
        conv.weight, conv.kernel_size, conv.padding = weight, size, padding

    return undo


def _swap_pool(parent: nn.Module, child: str) -> Callable[[], None]:
    old = getattr(parent, child)
    if isinstance(old, nn.MaxPool2d):
        new: nn.Module = nn.AvgPool2d(old.kernel_size, old.stride, old.padding, old.ceil_mode, False)
    else:
        new = nn.MaxPool2d(old.kernel_size, old.stride, old.padding, ceil_mode=old.ceil_mode)
    setattr(parent, child, new)
    return lambda: setattr(parent, child, old)


def _swap_branches(concat: Concat) -> Callable[[], None]:
    def exchange() -> None:
        concat.branches[0], concat.branches[1] = concat.branches[1], concat.branches[0]

    exchange()
    return exchange


def _flip_padding(pools: list[nn.AvgPool2d]) -> Callable[[], None]:
    def flip() -> None:
        for pool in pools:
            pool.count_include_pad = not pool.count_include_pad

    flip()
    return flip
