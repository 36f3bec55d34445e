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
    """What training and evaluation need of a part of a set.

    ``labels`` are int64 (number of images,), class numbers from 0. ``images(indices)`` returns float32
    (N, 3, size, size), normalised, for N indices. ``augmented`` returns the same of random windows by
    ``rule``, where ``seeds`` has the seed of each image's own draws. ``decodes`` says that images are
    read from files, so that other processes should read them ahead. Both methods raise
    UsageError, which names the file, for a picture that cannot be read.
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
    """Pictures that are resized each time: ``read(i)`` returns picture i, in RGB or grey.

    Evaluation sees the middle square, whose side is ``share`` (0 to 1) of the picture's short side.
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
    """Bytes (N, H, W, 1 or 3) to a network's input, float32 (N, 3, H, W); grey fills the three channels.

    A byte has 256 values, so each channel is a look-up: the same float32 as by the formula, in less time.
    """
    mean, std = np.asarray(preprocessing.mean), np.asarray(preprocessing.std)
    levels = ((np.arange(256)[:, None] / 255.0 - mean) / std).astype(np.float32)
    channels = (2, 1, 0) if preprocessing.order == "BGR" else (0, 1, 2)
    images = np.empty((len(pixels), 3, *pixels.shape[1:3]), np.float32)
    for out, channel in enumerate(channels):
        images[:, out] = levels[:, out][pixels[..., channel % pixels.shape[3]]]
    return images
