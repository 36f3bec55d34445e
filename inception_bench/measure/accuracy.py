"""Accuracy of what was exported: its own answers to the test images, beside eager's to the same ones."""

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
    """Of ``images`` test images: how often this artifact was right, and how it differs from eager.

    Only counts are kept; shares, intervals and the test follow from them when they are read.
    """

    dataset: str
    images: int
    right: int
    among_five: int
    agreeing: int
    only_eager_right: int
    only_this_right: int

    def accuracy(self) -> Accuracy:
        """Top-1 with its Wilson interval, and top-5."""
        return accuracy(self.right, self.among_five, self.images)

    @property
    def agreement(self) -> float:
        """The share of images to which eager gives the same first answer."""
        return self.agreeing / self.images

    @property
    def loss(self) -> float:
        """How much lower top-1 is than eager's; negative where it is higher."""
        return (self.only_eager_right - self.only_this_right) / self.images

    def chance(self) -> float:
        """The probability of so uneven a disagreement by chance: McNemar's exact test, two-sided."""
        from scipy.stats import binomtest

        uneven = self.only_eager_right + self.only_this_right
        return float(binomtest(self.only_eager_right, uneven).pvalue) if uneven else 1.0

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
    """Compare answers (images, 5 best classes, best first) with eager's and with the labels (images,)."""
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
    """The five best classes of each row (images, classes), best first; -1 where a row is not finite.

    Equal logits stand in the order of their classes, so that two engines with equal logits agree.
    """
    order = np.argsort(-logits, axis=1, kind="stable")[:, :FIVE].astype(np.int64)
    order[~np.isfinite(logits).all(1)] = -1
    return order


def answers_to(part: Part, ask: Callable[[Path], NDArray[np.floating]]) -> NDArray[np.int64]:
    """The best classes of all images of a part; ``ask`` gives the logits of a file of images (N, 3, S, S)."""
    size = part.images([0]).nbytes
    chunk = max(_CHUNK_BYTES // size, 1)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        for start in range(0, len(part), chunk):
            np.save(path, part.images(range(start, min(start + chunk, len(part)))))
            found.append(best_classes(ask(path)))
    return np.concatenate(found)
