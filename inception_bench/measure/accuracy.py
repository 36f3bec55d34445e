"""Accuracy of an exported network: its answers to the test images, compared with eager's answers to the same images.

A network's answer to an image is the five classes that it finds most likely.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_bench.data.parts import Part
from inception_bench.train.accuracy import Accuracy, accuracy

FIVE = 5
# An artifact is wrong where it loses more than this share of right answers and chance cannot explain the loss.
TOLERATED_LOSS, LEVEL = 0.01, 0.01
_CHUNK_BYTES = 64 << 20


@dataclass(frozen=True)
class Counts:
    """How often an artifact was right on ``images`` test images, and how often it and eager differed.

    All fields but ``dataset`` count images. ``right`` and ``among_five``: the label is the artifact's best class, or
    among its five best. ``agreeing``: eager has the same best class. ``only_eager_right`` and ``only_this_right``: the
    label is the best class of eager alone, or of the artifact alone. Only counts are kept; shares, intervals and the
    test are computed when they are read.
    """

    dataset: str
    images: int
    right: int
    among_five: int
    agreeing: int
    only_eager_right: int
    only_this_right: int

    def accuracy(self) -> Accuracy:
        """Top-1 with its Wilson interval, and top-5, as shares 0 to 1."""
        return accuracy(self.right, self.among_five, self.images)

    @property
    def agreement(self) -> float:
        """The share (0 to 1) of the images for which eager has the same best class."""
        return self.agreeing / self.images

    @property
    def loss(self) -> float:
        """Eager's top-1 minus this artifact's, both shares 0 to 1; negative where the artifact's is higher."""
        return (self.only_eager_right - self.only_this_right) / self.images

    def chance(self) -> float:
        """How probable (0 to 1) a difference at least as large is by chance: McNemar's exact test, two-sided.

        Counted are the images on which exactly one of the two is right; by chance each is right on half of them.
        """
        from scipy.stats import binomtest

        either_right = self.only_eager_right + self.only_this_right
        return float(binomtest(self.only_eager_right, either_right).pvalue) if either_right else 1.0

    def reason(self) -> str:
        """Why the artifact is not the network that was trained; empty where it is."""
        if self.loss <= TOLERATED_LOSS or self.chance() >= LEVEL:
            return ""
        return (
            f"top-1 on {self.dataset} is {self.loss:.1%} below eager's on the same {self.images} images "
            f"(only eager right: {self.only_eager_right}, only this: {self.only_this_right}; "
            f"by chance: {self.chance():.1e})"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def count(answers: NDArray[np.int64], eager: NDArray[np.int64], labels: NDArray[np.int64], dataset: str) -> Counts:
    """Compare answers (images, 5), the best class first, with eager's (images, 5) and with the labels (images,)."""
    right, eager_right = answers[:, 0] == labels, eager[:, 0] == labels
    return Counts(
        dataset,
        len(labels),
        int(right.sum()),
        int((answers == labels[:, None]).any(1).sum()),
        int((answers[:, 0] == eager[:, 0]).sum()),
        int((eager_right & ~right).sum()),
        int((right & ~eager_right).sum()),
    )


def best_classes(logits: NDArray[np.floating]) -> NDArray[np.int64]:
    """The five best classes of each image, best first: logits (images, classes) to classes (images, 5).

    Where a logit of an image is not finite, all five are -1. Equal logits stand in the order of their classes, so that
    two engines with equal logits agree.
    """
    order = np.argsort(-logits, axis=1, kind="stable")[:, :FIVE].astype(np.int64)
    order[~np.isfinite(logits).all(1)] = -1
    return order


def answers_to(part: Part, ask: Callable[[Path], NDArray[np.floating]]) -> NDArray[np.int64]:
    """The five best classes (images, 5) of all images of a part of a data set.

    ``ask`` takes the path of a file of images (N, 3, S, S) in float32 and returns their logits (N, classes).
    """
    size = part.images([0]).nbytes
    chunk = max(_CHUNK_BYTES // size, 1)
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        for start in range(0, len(part), chunk):
            np.save(path, part.images(range(start, min(start + chunk, len(part)))))
            answers.append(best_classes(ask(path)))
    return np.concatenate(answers)
