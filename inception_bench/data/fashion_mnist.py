"""``fashion-mnist``: 70,000 pictures of clothes, 28 x 28 grey, ten classes (arXiv:1708.07747).

The files are taken from ``fashion-mnist:PATH`` where a path is given, else from the folder of
Debian's package ``dataset-fashion-mnist``, else from the cache, into which they are downloaded. The official
10,000 test images are the test part; a twelfth of each class of the other 60,000 (5,000 in all) is for validation.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import urllib.request
import zlib
from pathlib import Path

import numpy as np

from inception_bench.data.resized import Raw, keep
from inception_bench.data.sets import DataSplits, Request
from inception_bench.data.splitting import split_off
from inception_bench.errors import UsageError
from inception_bench.store.cache import ArtifactCache

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
VALIDATION_SHARE = 1 / 12
SIDE = 28
# SHA-256 of what is inside the .gz files, so that it does not matter who packed them. They are
# those of Debian's copy, which was compared with the authors' own .gz files: its deflate streams, put behind gzip
# headers with the files' names and the date 2017-08-31, have the MD5 sums that the authors publish.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def open_splits(request: Request) -> DataSplits:
    """Fashion-MNIST in three parts.

    Raises UsageError for a folder that lacks the files, or files with other contents.
    """
    folder = _folder(request)
    rest, test = _read(folder, "train"), _read(folder, "t10k")
    train, validation = split_off(rest.labels, VALIDATION_SHARE)
    parts = {"train": rest.take(train), "validation": rest.take(validation), "test": test}
    return keep(request, "fashion-mnist", CLASSES, parts)


def _folder(request: Request) -> Path:
    if request.rest:
        given = Path(request.rest)
        if not _complete(given):
            raise UsageError(f"{given} does not hold Fashion-MNIST; its files are {', '.join(SHA256)}, each with .gz")
        return given
    if _complete(DEBIAN):
        return DEBIAN
    cached = ArtifactCache(request.cache).filled("fashion-mnist")
    if not _complete(cached):
        download(cached)
    return cached


def _complete(folder: Path) -> bool:
    return all((folder / f"{name}.gz").is_file() for name in SHA256)


def download(folder: Path) -> None:
    """Fetch the four files into ``folder``; each appears whole and checked, or not at all.

    Raises UsageError on failure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHA256:
        fresh = folder / f"{name}.gz.{os.getpid()}"
        try:
            _fetch(f"{URL}{name}.gz", fresh)
            _contents(fresh, name)
            os.replace(fresh, folder / f"{name}.gz")
        except OSError as error:
            raise UsageError(
                f"Fashion-MNIST could not be downloaded from {URL} ({error}); install Debian's dataset-fashion-mnist, "
                "or give a folder that holds its files: fashion-mnist:PATH"
            ) from None
        finally:
            fresh.unlink(missing_ok=True)


def _fetch(url: str, path: Path) -> None:
    from rich.console import Console
    from rich.progress import wrap_file

    with urllib.request.urlopen(url, timeout=60) as answer, path.open("wb") as target:
        size = int(answer.headers.get("Content-Length", 0))
        with wrap_file(answer, size, description=url.rsplit("/", 1)[-1], console=Console(stderr=True)) as source:
            while block := source.read(2**16):
                target.write(block)


def _contents(path: Path, name: str) -> bytes:
    try:
        contents = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be unpacked ({error}); remove it, and it is fetched again") from None
    if hashlib.sha256(contents).hexdigest() != SHA256[name]:
        raise UsageError(
            f"{path} does not hold the official {name} (another SHA-256); remove it or give another folder"
        )
    return contents


def _read(folder: Path, prefix: str) -> Raw:
    images, labels = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    # The IDX format: a magic number and the sizes, four bytes each, big-endian; then the bytes.
    pixels = np.frombuffer(_contents(folder / f"{images}.gz", images), np.uint8, offset=16)
    classes = np.frombuffer(_contents(folder / f"{labels}.gz", labels), np.uint8, offset=8)
    return Raw(pixels.reshape(-1, SIDE, SIDE, 1), classes.astype(np.int64))
