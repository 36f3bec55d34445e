"""Training batches by step: which images a step takes follows from the seed and the step's number alone.

A resumed run therefore sees the same batches, and so does a run on several processes instead of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from inception_bench.data.augmentation import Augmentation
from inception_bench.data.parts import Part


@dataclass(frozen=True)
class Order:
    """How training images are drawn: each epoch a permutation of ``chosen``, cut into batches.

    ``chosen`` are the indices of the images that are used, int64. With ``reshuffles`` every epoch has a permutation of
    its own; without it every epoch repeats the first one's.
    """

    chosen: NDArray[np.int64]
    batch_size: int
    seed: int
    reshuffles: bool = True

    def epoch_of(self, step: int) -> tuple[int, int]:
        """The epoch of ``step`` and the step's place in that epoch, all three counted from 0."""
        return divmod(step, len(self.chosen) // self.batch_size)

    def indices(self, step: int) -> NDArray[np.int64]:
        """The indices of the images that ``step`` (from 0) takes, int64 (batch_size,)."""
        epoch, place = self.epoch_of(step)
        start = place * self.batch_size
        permutation = _permutation(len(self.chosen), self.seed, epoch if self.reshuffles else 0)
        return self.chosen[permutation[start : start + self.batch_size]]


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)


@dataclass(frozen=True)
class Batches(Dataset[tuple[Tensor, Tensor]]):
    """The batches of process ``rank`` of ``world``, by step: every ``world``-th image of the whole batch.

    A batch is images, float32 (N, 3, H, W), and labels, int64 (N,), where N is the whole batch's size over ``world``.
    """

    part: Part
    order: Order
    augmentation: Augmentation | None = None
    rank: int = 0
    world: int = 1

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        indices = self.order.indices(step)[self.rank :: self.world]
        if self.augmentation is None:
            images = self.part.images(indices)
        else:
            epoch, _ = self.order.epoch_of(step)
            seeds = [(self.order.seed, epoch, int(index)) for index in indices]
            images = self.part.augmented(indices, self.augmentation, seeds)
        return torch.from_numpy(images), torch.from_numpy(self.part.labels[indices])


Loader = DataLoader[tuple[Tensor, Tensor]]


def loader(batches: Batches, steps: Iterable[int], workers: int) -> Loader:
    """The batches of ``steps`` in order; pictures in files are read by ``workers`` processes ahead of time."""
    processes = workers if batches.part.decodes else 0
    return DataLoader(batches, batch_size=None, sampler=steps, num_workers=processes)


def evaluation_batches(part: Part, batch_size: int, workers: int, share: tuple[int, int] = (0, 1)) -> Loader:
    """All images of ``part`` in order, ``batch_size`` at a time (fewer in the last batch).

    ``share`` is (rank, world): the process ``rank`` of ``world`` processes gets every ``world``-th batch.
    """
    rank, world = share
    starts = range(rank * batch_size, len(part), world * batch_size)
    return DataLoader(
        _Slices(part, batch_size),
        batch_size=None,
        sampler=starts,
        num_workers=workers if part.decodes else 0,
    )


@dataclass(frozen=True)
class _Slices(Dataset[tuple[Tensor, Tensor]]):
    part: Part
    batch_size: int

    def __getitem__(self, start: int) -> tuple[Tensor, Tensor]:
        indices = np.arange(start, min(start + self.batch_size, len(self.part)))
        return torch.from_numpy(self.part.images(indices)), torch.from_numpy(self.part.labels[indices])
