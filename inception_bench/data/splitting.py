"""Which images are for training, for validation and for the test: drawn once, by a fixed seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SEED = 20151202  # the day on which arXiv:1512.00567 appeared


def split_off(labels: NDArray[np.int64], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The sorted indices of the images that stay, and of those that are split off, int64 both.

    Of each class ``share`` (0 to 1) is split off, rounded to whole images, but at least one image where the class has
    two or more. ``labels`` are int64 (N,). ``RandomState`` is used because its stream is the same in every NumPy.
    """
    draws = np.random.RandomState(SEED)
    taken = []
    for label in np.unique(labels):
        members = draws.permutation(np.flatnonzero(labels == label))
        count = max(round(len(members) * share), 1) if len(members) > 1 else 0
        taken.append(members[:count])
    chosen = np.sort(np.concatenate(taken))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen
