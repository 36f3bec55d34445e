"""``imagefolder:PATH``: pictures in folders by class, as ImageNet is laid out.

The folders are ``PATH/train/CLASS/*`` and ``PATH/val/CLASS/*``, and where there are more, ``PATH/test/CLASS/*``.
Without ``test``, ``val`` is the test part (as is the custom for ImageNet) and some of ``train`` is set aside for
validation. Without any of the three, ``PATH/CLASS/*`` is split. Pictures are decoded as they are read;
evaluation sees the middle square of 87.5 % of the short side (TensorFlow-slim's and torchvision's share).
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inception_bench.data.parts import PicturePart
from inception_bench.data.sets import DataSplits, Request
from inception_bench.data.splitting import split_off
from inception_bench.errors import UsageError
from inception_bench.store.cache import ArtifactCache, key_of

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
CENTRAL_SHARE = 0.875
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
# Pictures that cannot be read are skipped while they are no more than this share of a set; one may always be skipped.
BAD_SHARE = 0.01
SHOWN = 3  # how many pictures a message names


@dataclass(frozen=True)
class Pictures:
    """The files of pictures, and the label of each: int64 (number of files,)."""

    files: tuple[str, ...]
    labels: NDArray[np.int64]

    def take(self, indices: NDArray[np.int64]) -> Pictures:
        return Pictures(tuple(self.files[i] for i in indices), self.labels[indices])


def open_splits(request: Request) -> DataSplits:
    """The pictures under a folder in three parts.

    Raises UsageError for a folder that is not there, fewer than two classes, a class without pictures, classes
    that differ between parts, or more unreadable pictures than may be skipped.
    """
    root = Path(request.rest)
    if not request.rest or not root.is_dir():
        raise UsageError(f"imagefolder:{request.rest} is no folder; give imagefolder:PATH with PATH/train/CLASS/*.jpg")
    present = [name for name in ("train", "val", "test") if (root / name).is_dir()]
    folders = {name: root / name for name in present} if "train" in present else {"train": root}
    classes = class_names(folders["train"])
    parts = {name: list_pictures(folder, classes) for name, folder in folders.items()}
    digest = key_of({name: [digest_line(Path(file)) for file in part.files] for name, part in parts.items()})
    parts = without_unreadable(parts, request.cache, digest)
    train, validation, test = divide(parts)
    first, second, third = (
        PicturePart(partial(read, part.files), part.labels, request.input_size, request.preprocessing, CENTRAL_SHARE)
        for part in (train, validation, test)
    )
    return DataSplits(f"imagefolder:{root}", classes, first, second, third, digest)


def class_names(folder: Path) -> tuple[str, ...]:
    """The classes of a folder, sorted by name. Raises UsageError where there are fewer than two."""
    names = tuple(sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()))
    if len(names) < 2:
        raise UsageError(
            f"{folder} has {len(names)} class ({', '.join(names) or 'none'}); give a folder with at least two folders"
        )
    return names


def list_pictures(folder: Path, classes: tuple[str, ...]) -> Pictures:
    """The pictures of each of ``classes``, sorted by name. Raises UsageError for an empty, missing or further class."""
    others = sorted({entry.name for entry in os.scandir(folder) if entry.is_dir()} ^ set(classes))
    if others:
        raise UsageError(f"{folder} and the training images differ in class {others[0]!r}; give the same in both")
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        own = sorted(str(path) for path in (folder / name).rglob("*") if path.suffix.lower() in SUFFIXES)
        if not own:
            raise UsageError(
                f"class {name!r} of {folder} holds no picture ({', '.join(SUFFIXES)}); add some or remove it"
            )
        files += own
        labels += [label] * len(own)
    return Pictures(tuple(files), np.array(labels, np.int64))


def without_unreadable(parts: dict[str, Pictures], cache: Path, digest: str) -> dict[str, Pictures]:
    """The pictures that can be decoded. Each is tried once; the cache keeps which ones failed.

    A warning counts the pictures that are left out and names the first few. Raises UsageError where they are more than
    ``BAD_SHARE`` allows, or where a class loses all of its pictures in a part.
    """
    everything = [file for part in parts.values() for file in part.files]

    def build(folder: Path) -> None:
        (folder / "bad.json").write_text(json.dumps(unreadable(everything)))

    bad = json.loads((ArtifactCache(cache).get("readable", {"of": digest}, build).folder / "bad.json").read_text())
    if not bad:
        return parts
    limit = max(int(len(everything) * BAD_SHARE), 1)
    examples = ", ".join(f"{file} ({reason})" for file, reason in list(bad.items())[:SHOWN])
    counted = (
        f"{len(bad)} of {len(everything)} pictures cannot be read: {examples}{', ...' if len(bad) > SHOWN else ''}"
    )
    if len(bad) > limit:
        raise UsageError(f"{counted}; at most {limit} are skipped, so repair or remove them")
    warnings.warn(f"{counted}; skipped (up to {limit} may be)", stacklevel=2)
    kept = {
        name: part.take(np.array([i for i, f in enumerate(part.files) if f not in bad])) for name, part in parts.items()
    }
    for name, part in kept.items():
        lost = set(parts[name].labels.tolist()) - set(part.labels.tolist())
        if lost:
            raise UsageError(f"{counted}; {name} has no other of that class, so repair it")
    return kept


def unreadable(files: Iterable[str]) -> dict[str, str]:
    """The files that cannot be decoded to the end, each with the decoder's reason."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reasons = list(pool.map(_fault, files := list(files)))
    return {file: reason for file, reason in zip(files, reasons, strict=True) if reason}


def divide(parts: dict[str, Pictures]) -> tuple[Pictures, Pictures, Pictures]:
    """Train, validation and test; what has no folder of its own is split off, as the module's text says."""
    train = parts["train"]
    if "val" in parts and "test" in parts:
        return train, parts["val"], parts["test"]
    if "val" in parts or "test" in parts:
        test = parts.get("test", parts.get("val", train))
    else:
        rest, taken = split_off(train.labels, TEST_SHARE)
        train, test = train.take(rest), train.take(taken)
    rest, taken = split_off(train.labels, VALIDATION_SHARE)
    return train.take(rest), train.take(taken), test


def read(files: tuple[str, ...], index: int) -> Image:
    """A picture in RGB. Raises UsageError, naming it, where it can no longer be read."""
    from PIL import Image

    try:
        with Image.open(files[index]) as picture:
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"{files[index]} can no longer be read ({error}); it could when the set was checked") from None


def digest_line(path: Path) -> str:
    """A line that differs where a picture was changed: its path, size in bytes and time of change in nanoseconds."""
    facts = path.stat()
    return f"{path} {facts.st_size} {facts.st_mtime_ns}"


def _fault(file: str) -> str:
    from PIL import Image

    try:
        with Image.open(file) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files of its formats
        return str(error).split("\n")[0] or type(error).__name__
    return ""
