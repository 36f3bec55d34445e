"""Labelled sets by name: ``digits``, ``fashion-mnist``, ``imagefolder:PATH``, ``hf:NAME``. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inception_bench.data.parts import Part
from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.table import Preprocessing
from inception_bench.store.cache import default_root

LEAST_CLASSES = 2
# How many classes a set has, where that is known without opening it.
CLASSES = {"digits": 10, "fashion-mnist": 10}
PROBE_SIZE = 32  # pixels a side at which a set is opened whose classes are only counted
PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class DataSplits:
    """A set in three parts that share no image. ``test`` is never used to choose anything.

    ``digest`` is a hash of what decides the images and how they are split (not of the preprocessing).
    """

    name: str
    class_names: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    digest: str


@dataclass(frozen=True)
class Request:
    """What a source is asked for.

    ``rest`` is the text after the colon of the set's name (empty without one), ``input_size`` is in pixels a side,
    and ``cache`` is the folder in which the source may keep downloads and resized images.
    """

    rest: str
    input_size: int
    preprocessing: Preprocessing
    cache: Path


# Each module has a function ``open_splits(request: Request) -> DataSplits``. It raises UsageError where the set cannot
# be opened: a name that it does not understand, data that is missing or damaged, a library that is not installed.
SOURCES = {
    "digits": "inception_bench.data.digits",
    "fashion-mnist": "inception_bench.data.fashion_mnist",
    "imagefolder": "inception_bench.data.image_folder",
    "hf": "inception_bench.data.hub_sets",
}


def open_data(name: str, input_size: int, preprocessing: Preprocessing, *, cache: Path | None = None) -> DataSplits:
    """The set ``name`` at ``input_size`` pixels a side, normalised by ``preprocessing``.

    Resized images are kept under ``cache`` (default: the artifacts' folder). Raises UsageError
    for an unknown name, data that is not there or damaged, one class only, or labels out of range.
    """
    source, _, rest = name.partition(":")
    if source not in SOURCES:
        raise UnknownNameError("data set", source, SOURCES)
    opener: Callable[[Request], DataSplits] = import_module(SOURCES[source]).open_splits
    splits = opener(Request(rest, input_size, preprocessing, cache or default_root()))
    check(splits)
    return splits


def count_classes(name: str) -> int:
    """How many classes a set has; a set of which that is not known is opened. Raises as ``open_data``."""
    known = CLASSES.get(name)
    return known or len(open_data(name, PROBE_SIZE, PLAIN).class_names)


def check(splits: DataSplits) -> None:
    """Raise UsageError for a set from which nothing can be learnt: too few classes, no images, labels out of range."""
    classes = len(splits.class_names)
    if classes < LEAST_CLASSES:
        raise UsageError(f"{splits.name} has {classes} class; a network is trained on at least {LEAST_CLASSES}")
    for part, labels in (
        ("train", splits.train.labels),
        ("validation", splits.validation.labels),
        ("test", splits.test.labels),
    ):
        _check_labels(f"{splits.name}, {part}", labels, classes)
    absent = sorted(set(range(classes)) - set(np.unique(splits.train.labels).tolist()))
    if absent:
        raise UsageError(
            f"{splits.name}: class {splits.class_names[absent[0]]!r} has no training image; add some or remove it"
        )


def _check_labels(where: str, labels: NDArray[np.int64], classes: int) -> None:
    if not len(labels):
        raise UsageError(f"{where} has no image; give at least a few of each class")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise UsageError(
            f"{where}: labels run from {low} to {high}, but {classes} classes have the labels 0 to {classes - 1}"
        )
