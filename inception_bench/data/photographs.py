"""Real input that is always at hand: windows of the two photographs inside scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inception_bench.models.table import Preprocessing

WINDOWS = 8
# For each window its side as a share of the photograph's short side, and where it lies in the room that is left, as
# shares from the top and from the left. The four windows of a photograph differ in scale and place, so that no two
# show the same thing.
_CUTS = ((1.0, 0.0, 0.5), (0.75, 1.0, 0.0), (0.6, 0.0, 1.0), (0.5, 0.6, 0.4))


def photograph_windows(input_size: int) -> NDArray[np.uint8]:
    """Eight square windows of china.jpg and flower.jpg (427 x 640), as (8, size, size, 3) RGB bytes.

    Windows alternate between the photographs, so that any two in a row differ.
    """
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    windows = []
    for share, down, right in _CUTS:
        for photograph in photographs:
            height, width = photograph.shape[:2]
            side = int(min(height, width) * share)
            top, left = int((height - side) * down), int((width - side) * right)
            window = Image.fromarray(photograph[top : top + side, left : left + side])
            windows.append(np.asarray(window.resize((input_size, input_size), Image.Resampling.BILINEAR)))
    return np.stack(windows)


def normalise(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """RGB bytes (N, H, W, 3) to a network's input, float32 (N, 3, H, W), as its preprocessing says."""
    if preprocessing.order == "BGR":
        images = images[..., ::-1]
    mean = np.asarray(preprocessing.mean, np.float64)
    std = np.asarray(preprocessing.std, np.float64)
    return np.ascontiguousarray(((images / 255.0 - mean) / std).astype(np.float32).transpose(0, 3, 1, 2))


def parity_images(input_size: int, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """The eight windows as a network wants them: (8, 3, size, size) float32."""
    return normalise(photograph_windows(input_size), preprocessing)


def fill_batch(images: NDArray[np.float32], batch_size: int) -> NDArray[np.float32]:
    """A batch (batch_size, 3, H, W): the given images (N, 3, H, W) in turn, as often as needed."""
    return np.ascontiguousarray(images[np.arange(batch_size) % len(images)])
