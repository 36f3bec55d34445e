"""A part of a set (train, validation or test): images by index, as a network wants them. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from inception_bench.data.augmentation import Augmentation, central, window
from inception_bench.models.table import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image

Indices = Sequence[int] | NDArray[np.int64]


class Part(Protocol):
    """What training and evaluation need of a part.

    ``labels`` are int64, one an image. ``images(indices)`` gives float32 (N, 3, size, size),
    normalised; ``augmented`` the same of random windows, where ``seeds`` has the seed of each
    image's own draws. ``decodes`` says that images are read from files, which is worth processes.
    """

    @property
    def labels(self) -> NDArray[np.int64]: ...

    @property
    def decodes(self) -> bool: ...

    def __len__(self) -> int: ...

    def images(self, indices: Indices) -> NDArray[np.float32]: ...

    def augmented(
        self, indices: Indices, rule: Augmentation, seeds: Sequence[Sequence[int]]
    ) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class StoredPart:
    """Images resized once: ``pixels`` is (N, size, size, 1 or 3) bytes, memory-mapped."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    preprocessing: Preprocessing
    decodes: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices: Indices) -> NDArray[np.float32]:
        return normalised(self.pixels[np.asarray(indices)], self.preprocessing)

    def augmented(self, indices: Indices, rule: Augmentation, seeds: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        size = self.pixels.shape[1]
        chosen = zip(indices, seeds, strict=True)
        windows = [window(picture_of(self.pixels[i]), size, rule, np.random.default_rng(seed)) for i, seed in chosen]
        return normalised(np.stack(windows), self.preprocessing)


@dataclass(frozen=True)
class PicturePart:
    """Pictures that are resized each time: ``read(i)`` gives the i-th one, in RGB or grey.

    ``share`` of the short side is what evaluation sees (the middle square).
    """

    read: Callable[[int], Image]
    labels: NDArray[np.int64]
    size: int
    preprocessing: Preprocessing
    share: float = 1.0
    decodes: bool = True

    def __len__(self) -> int:
        return len(self.labels)

    def pixels(self, indices: Indices) -> NDArray[np.uint8]:
        """The middle squares as (N, size, size, channels) bytes."""
        return np.stack([central(self.read(int(i)), self.size, self.share) for i in indices])

    def images(self, indices: Indices) -> NDArray[np.float32]:
        return normalised(self.pixels(indices), self.preprocessing)

    def augmented(self, indices: Indices, rule: Augmentation, seeds: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        chosen = zip(indices, seeds, strict=True)
        windows = [window(self.read(int(i)), self.size, rule, np.random.default_rng(seed)) for i, seed in chosen]
        return normalised(np.stack(windows), self.preprocessing)


def picture_of(pixels: NDArray[np.uint8]) -> Image:
    """Bytes (H, W, 1 or 3) as a picture."""
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))


def normalised(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Bytes (N, H, W, 1 or 3) to a network's input (N, 3, H, W); grey fills the three channels.

    A byte has 256 values, so each channel is a look-up: the same float32 as by the formula, in less time.
    """
    mean, std = np.asarray(preprocessing.mean), np.asarray(preprocessing.std)
    levels = ((np.arange(256)[:, None] / 255.0 - mean) / std).astype(np.float32)
    channels = (2, 1, 0) if preprocessing.order == "BGR" else (0, 1, 2)
    found = np.empty((len(pixels), 3, *pixels.shape[1:3]), np.float32)
    for out, channel in enumerate(channels):
        found[:, out] = levels[:, out][pixels[..., channel % pixels.shape[3]]]
    return found
