"""Input for a table of any number of channels: photographs, or the maps that filters make of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inception_bench.data.photographs import parity_images
from inception_bench.models.table import Table

_SEED = 20151202  # the day on which arXiv:1512.00567 appeared
_SIDE = 3


def network_images(table: Table, input_size: int) -> NDArray[np.float32]:
    """Input for ``table``'s network, float32 (8, channels, size, size): photographs where it takes three channels."""
    images = parity_images(input_size, table.preprocessing)
    return images if table.in_channels == images.shape[1] else feature_maps(images, table.in_channels)


def feature_maps(images: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Images (N, 3, H, W) as maps (N, channels, H, W): fixed random 3x3 filters, rectified, as a module's input is."""
    generator = np.random.default_rng(_SEED)
    fan_in = images.shape[1] * _SIDE * _SIDE
    filters = generator.normal(0.0, (2.0 / fan_in) ** 0.5, (channels, fan_in)).astype(np.float32)
    around = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (_SIDE, _SIDE), axis=(2, 3))
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(*images.shape[:1], *images.shape[2:], fan_in)
    return np.ascontiguousarray(np.maximum(columns @ filters.T, 0.0).transpose(0, 3, 1, 2))
