"""Small sets, resized once and kept: an artifact of byte arrays that are memory-mapped when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_bench.data.parts import Part, PicturePart, StoredPart, picture_of
from inception_bench.data.sets import DataSplits, Request
from inception_bench.store.cache import ArtifactCache, key_of

# A set that would take more bytes than this is not kept but resized as it is read: Fashion-MNIST at 299 pixels would
# fill 6 GB.
LIMIT_BYTES = 2**30
CHUNK = 1000  # images resized at a time
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Raw:
    """Images as they came: bytes (N, H, W, 1 or 3) and int64 labels."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def take(self, indices: NDArray[np.int64]) -> Raw:
        return Raw(self.pixels[indices], self.labels[indices])


def keep(request: Request, name: str, class_names: tuple[str, ...], raw: Mapping[str, Raw]) -> DataSplits:
    """The set ``name`` from its raw parts, resized to the request's input size.

    The resized images are kept in the cache, unless they would take more than ``LIMIT_BYTES``.
    """
    digest = key_of({part: _digest(raw[part]) for part in PARTS})
    channels = raw["train"].pixels.shape[3]
    size_bytes = sum(len(images.labels) for images in raw.values()) * request.input_size**2 * channels
    if size_bytes > LIMIT_BYTES:
        parts: dict[str, Part] = {part: _resizing(raw[part], request) for part in PARTS}
    else:
        parts = _kept(request, digest, raw)
    return DataSplits(name, class_names, parts["train"], parts["validation"], parts["test"], digest)


def _kept(request: Request, digest: str, raw: Mapping[str, Raw]) -> dict[str, Part]:
    def build(folder: Path) -> None:
        for part in PARTS:
            resizing = _resizing(raw[part], request)
            shape = (len(resizing), request.input_size, request.input_size, raw[part].pixels.shape[3])
            fresh = np.lib.format.open_memmap(folder / f"{part}.npy", "w+", np.uint8, shape)
            for start in range(0, len(resizing), CHUNK):
                chosen = range(start, min(start + CHUNK, len(resizing)))
                fresh[start : start + len(chosen)] = resizing.pixels(chosen)
            fresh.flush()

    wanted: dict[str, Any] = {"digest": digest, "input_size": request.input_size, "filter": "bilinear"}
    folder = ArtifactCache(request.cache).get("images", wanted, build).folder
    return {
        part: StoredPart(np.load(folder / f"{part}.npy", mmap_mode="r"), raw[part].labels, request.preprocessing)
        for part in PARTS
    }


def _resizing(raw: Raw, request: Request) -> PicturePart:
    pixels = raw.pixels
    return PicturePart(
        lambda i: picture_of(pixels[i]), raw.labels, request.input_size, request.preprocessing, decodes=False
    )


def _digest(raw: Raw) -> str:
    import hashlib

    digest = hashlib.sha256(repr(raw.pixels.shape).encode())
    digest.update(np.ascontiguousarray(raw.pixels).data)
    digest.update(np.ascontiguousarray(raw.labels).data)
    return digest.hexdigest()
