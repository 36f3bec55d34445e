"""Random crops and mirrors of training images. Each image has draws of its own, so order and process do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

TRIES = 10  # how many windows are drawn that do not fit before the whole picture is taken


@dataclass(frozen=True)
class Augmentation:
    """How a training image is varied: a random window of the picture, resized, and mirrored half of the time.

    ``least_area`` is the smallest share (0 to 1) of the picture that a window covers, ``aspect`` the largest ratio of
    its longer to its shorter side. ``mirror`` False mirrors no image. arXiv:1409.4842, section 6, has areas
    of 8 to 100 % and aspects of 3/4 to 4/3.
    """

    least_area: float
    aspect: float = 4 / 3
    mirror: bool = True


def central(picture: Image, size: int, share: float) -> NDArray[np.uint8]:
    """The middle square, its side ``share`` (0 to 1) of the picture's short side, as (size, size, channels) bytes."""
    side = round(min(picture.size) * share)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return _resized(picture, (left, top, left + side, top + side), size)


def window(picture: Image, size: int, rule: Augmentation, draws: np.random.Generator) -> NDArray[np.uint8]:
    """A random window as ``rule`` says, as (size, size, channels) bytes."""
    pixels = _resized(picture, _box(picture.width, picture.height, rule, draws), size)
    mirrored = rule.mirror and draws.random() < 0.5
    return pixels[:, ::-1] if mirrored else pixels


def _box(width: int, height: int, rule: Augmentation, draws: np.random.Generator) -> tuple[int, int, int, int]:
    for _ in range(TRIES):
        area = width * height * draws.uniform(rule.least_area, 1.0)
        aspect = np.exp(draws.uniform(-np.log(rule.aspect), np.log(rule.aspect)))
        wide, high = round(float(np.sqrt(area * aspect))), round(float(np.sqrt(area / aspect)))
        if 0 < wide <= width and 0 < high <= height:
            left, top = int(draws.integers(0, width - wide + 1)), int(draws.integers(0, height - high + 1))
            return left, top, left + wide, top + high
    return 0, 0, width, height


def _resized(picture: Image, box: tuple[int, int, int, int], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    pixels = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=box))
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
