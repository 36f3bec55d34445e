"""The package's networks for the probe: built without drawing weights twice, and filled so that signal is kept.

What the probe knows of the package's networks stands here alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inception_bench import create_model
from inception_bench.builder import least_spread
from inception_bench.data.maps import network_images
from inception_bench.models.public import NINE, find_table
from inception_bench.models.weights.signal import keep_signal

__all__ = ["FIRST", "Prepared", "least_spread", "names", "noise_network", "prepare"]
# Those that a first run measures come first: time may not suffice for all.
FIRST = ("inception_v3", "googlenet", "inception_v4")
SMALL_WIDTH, SMALL_SIZE = 0.125, 75


@dataclass(frozen=True)
class Prepared:
    """A network on the CPU in float32, in evaluation mode, and its eight images (8, 3, H, W)."""

    name: str
    model: nn.Module
    images: Tensor


def names(small: bool) -> list[str]:
    """The nine networks in the order of their value here; two of them in a dry run."""
    ordered = [*FIRST, *(name for name in NINE if name not in FIRST)]
    return ordered[:2] if small else ordered


def prepare(name: str, small: bool) -> Prepared:
    """The network that a board's cell runs, with the very weights that its cell has: calibrated on its images."""
    images = torch.from_numpy(network_images(find_table(name), _size(name, small)))
    return Prepared(name, _filled(name, small, images), images)


def noise_network(name: str, batch_size: int, small: bool) -> tuple[nn.Module, Tensor]:
    """A network and a batch of noise for timing: quick to make, and no value is zero."""
    generator = torch.Generator().manual_seed(1)
    model = _filled(name, small, torch.randn(2, 3, SMALL_SIZE, SMALL_SIZE, generator=generator))
    size = _size(name, small)
    return model, torch.randn(batch_size, 3, size, size, generator=generator)


def _size(name: str, small: bool) -> int:
    return SMALL_SIZE if small else find_table(name).input_size


def _filled(name: str, small: bool, images: Tensor) -> nn.Module:
    with torch.device("meta"):  # every weight is filled below
        model = create_model(name, width_mult=SMALL_WIDTH if small else 1.0)
    model = model.to_empty(device="cpu")
    keep_signal(model, images)
    return model.requires_grad_(False).eval()
