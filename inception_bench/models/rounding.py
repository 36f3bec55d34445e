"""A network in 16 bits on any CPU: for measuring what rounding alone does to it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inception_bench.models.network import Network


class InFloat32(nn.Module):
    """A module that torch's CPU kernels lack in 16 bits: computed in float32, its result rounded."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x.float()).to(x.dtype)


def rounded(model: Network, dtype: torch.dtype) -> Network:
    """``model`` in ``dtype``, in place: weights and every map are rounded to it."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.LocalResponseNorm):
                setattr(parent, name, InFloat32(child))
    return model.to(dtype)
