"""``hf:NAME``: a set of the Hugging Face hub, or a local folder that its library ``datasets`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from inception_bench.data.image_folder import CENTRAL_SHARE, TEST_SHARE, VALIDATION_SHARE
from inception_bench.data.parts import PicturePart
from inception_bench.data.sets import DataSplits, Request
from inception_bench.data.splitting import split_off
from inception_bench.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

NAMES = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


@dataclass(frozen=True)
class Rows:
    """A table of the library, and the name of its column of pictures; ``read`` decodes the picture of one row."""

    table: Any
    image: str

    def read(self, index: int) -> Image:
        picture: Image = self.table[index][self.image]
        return picture.convert("RGB")


def open_splits(request: Request) -> DataSplits:
    """A set with an image column and a class column, in three parts; a part that it lacks is split off from another.

    Raises UsageError where a column or the extra ``hf`` is missing, or the set cannot be loaded.
    """
    if not request.rest:
        raise UsageError("hf: names no set; write for example hf:uoft-cs/cifar10")
    splits = _load(request.rest)
    features = splits["train"].features
    image, label = _column(features, "Image", request.rest), _column(features, "ClassLabel", request.rest)
    train, validation, test = _divide(splits, label)
    first, second, third = (
        PicturePart(
            Rows(table, image).read,
            np.asarray(table[label], np.int64),
            request.input_size,
            request.preprocessing,
            CENTRAL_SHARE,
        )
        for table in (train, validation, test)
    )
    digest = "-".join(table._fingerprint for table in (train, validation, test))
    return DataSplits(f"hf:{request.rest}", tuple(features[label].names), first, second, third, digest)


def _load(name: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise UsageError(f"hf:{name} needs the extra hf: pip install -c constraints.txt '.[hf]'") from None
    try:
        splits = datasets.load_dataset(name)
    except Exception as error:  # the library raises its own without network, set or permission
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"hf:{name} could not be loaded: {reason}") from None
    if "train" not in splits:
        raise UsageError(f"hf:{name} has no part called train (it has {', '.join(splits)}); give another set")
    return splits


def _column(features: Mapping[str, Any], kind: str, name: str) -> str:
    for column, feature in features.items():
        if type(feature).__name__ == kind:
            return column
    raise UsageError(
        f"hf:{name} has no column of kind {kind} (it has {', '.join(features)}); give a set of classed images"
    )


def _divide(splits: Any, label: str) -> tuple[Any, Any, Any]:
    parts = {part: next((splits[name] for name in names if name in splits), None) for part, names in NAMES.items()}
    train, validation, test = parts["train"], parts["validation"], parts["test"]
    if test is None and validation is not None:
        test, validation = validation, None  # the custom where the labels of the test part are secret
    if test is None:
        train, test = _taken(train, label, TEST_SHARE)
    if validation is None:
        train, validation = _taken(train, label, VALIDATION_SHARE)
    return train, validation, test


def _taken(table: Any, label: str, share: float) -> tuple[Any, Any]:
    rest, taken = split_off(np.asarray(table[label], np.int64), share)
    return table.select(rest), table.select(taken)
