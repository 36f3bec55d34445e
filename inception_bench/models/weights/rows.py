"""A network that returns every end point, to compare row by row where the logits alone cannot show a fault."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from inception_bench.models.network import Network
from inception_bench.models.weights.stored import load_network


class Rows(nn.Module):
    """Images (N, 3, H, W) to every end point's map and the logits, flat and side by side: (N, all values).

    It has a single output, so that whatever can run a network can run this one too.
    """

    def __init__(self, network: Network):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.flatten(end_point, 1) for end_point in self.network.forward_rows(x).values()], 1)


def load_for(folder: Path, *, rows: bool) -> nn.Module:
    """The stored network, or with ``rows`` the one that returns its end points."""
    network = load_network(folder)
    return Rows(network).eval() if rows else network
