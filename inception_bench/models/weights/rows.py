"""A network that shows every end point: for comparing row by row where the logits alone cannot tell a fault."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from inception_bench.models.network import Network
from inception_bench.models.weights.stored import load_network


class Rows(nn.Module):
    """Images (N, 3, H, W) to every end point's map and the logits, flat and side by side: (N, all values).

    One output, so that whatever runs a network runs this one too.
    """

    def __init__(self, network: Network):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.flatten(part, 1) for part in self.network.forward_rows(x).values()], 1)


def load_for(folder: Path, *, rows: bool) -> nn.Module:
    """The stored network, or its rows."""
    network = load_network(folder)
    return Rows(network).eval() if rows else network
