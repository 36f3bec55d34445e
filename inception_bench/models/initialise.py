"""First weights as the papers' released code (TensorFlow-slim) draws them.

Its argument scope for the Inception networks is a truncated normal, cut at two standard deviations,
of variance ``1.3 * 2 / fan_in``: 2 for the rectifier, 1.3 for the variance that the cut takes away. Its biases
are 0; batch normalisation starts as the identity. Of the standard deviations that slim names for
single layers only those of Inception-v3's aux head are kept (they are on the table, ``Aux.stds``):
the flat 0.01 and 0.1 of its older files belong to networks that batch normalisation rescales, and
would silence the ones here that have none.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

import torch
from torch import nn

CUT = 2.0
FACTOR = 1.3 * 2.0


def initialise(network: nn.Module, aux_stds: Mapping[str, tuple[float, ...]]) -> None:
    """Fill ``network`` in place from torch's global generator (a seed makes it repeatable).

    ``aux_stds`` gives, by end point, the standard deviations of an aux head's last weighted layers.
    Does nothing to parameters on the meta device.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            _draw(module, (FACTOR / module.weight[0].numel()) ** 0.5)
    for at, stds in aux_stds.items():
        _draw_last(network.get_submodule(f"aux.{at}"), stds)


def initialise_by_name(network: nn.Module, aux_stds: Mapping[str, tuple[float, ...]], seed: int) -> None:
    """Fill ``network`` as ``initialise`` does, but each layer from a seed made of ``seed`` and the layer's name.

    So two networks of one seed begin with the same weights in every layer that both have. With one
    generator for all, a bias, an aux head or a further module would shift the draws of all later layers.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            torch.manual_seed(_seed_of(seed, name))
            initialise(module, {})
    for at, stds in aux_stds.items():
        torch.manual_seed(_seed_of(seed, f"aux.{at}"))
        _draw_last(network.get_submodule(f"aux.{at}"), stds)


def _seed_of(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4])


def _draw_last(head: nn.Module, stds: tuple[float, ...]) -> None:
    weighted = [module for module in head.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for module, std in zip(weighted[len(weighted) - len(stds) :], stds, strict=True):
        _draw(module, std)


def _draw(module: nn.Conv2d | nn.Linear, std: float) -> None:
    if module.weight.is_meta:
        return  # nothing to fill, and for this erfinv torch would import its whole compiler: a second in each process
    with torch.no_grad():
        # The inverse of the distribution function, on a uniform draw between the cuts. (torch's own
        # trunc_normal_ draws anew until every value lies inside: twenty times slower on large layers.)
        inside = math.erf(CUT / 2**0.5)
        module.weight.uniform_(-inside, inside).erfinv_().mul_(std * 2**0.5)
        if module.bias is not None:
            module.bias.zero_()
