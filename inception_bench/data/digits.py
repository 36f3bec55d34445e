"""``digits``: 1,797 handwritten digits of 8 x 8 pixels inside scikit-learn, so always at hand.

They are the test part of the UCI set "Optical Recognition of Handwritten Digits". A fifth of each
class is the test part here, and a tenth of the rest the validation part.
"""

from __future__ import annotations

import numpy as np

from inception_bench.data.resized import Raw, keep
from inception_bench.data.sets import DataSplits, Request
from inception_bench.data.splitting import split_off
from inception_bench.errors import UsageError

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
LEVELS = 16  # a digit's pixels run from 0 to 16


def open_splits(request: Request) -> DataSplits:
    """The digits in three parts, bright on dark as they are stored. Raises UsageError for ``digits:`` with more."""
    from sklearn.datasets import load_digits

    if request.rest:
        raise UsageError(f"digits:{request.rest} is not possible; digits come with scikit-learn, write digits")
    dataset = load_digits()
    pixels = np.rint(dataset.images * (255 / LEVELS)).astype(np.uint8)[..., None]
    raw = Raw(pixels, dataset.target.astype(np.int64))
    rest, test = split_off(raw.labels, TEST_SHARE)
    train, validation = split_off(raw.labels[rest], VALIDATION_SHARE)
    parts = {"train": raw.take(rest[train]), "validation": raw.take(rest[validation]), "test": raw.take(test)}
    return keep(request, "digits", tuple(str(digit) for digit in range(10)), parts)
