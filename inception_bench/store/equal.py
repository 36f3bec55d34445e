"""Equal files lie on the disk once: names of one file, where the file system has hard links.

A file that has several names must never be written in place. Nothing here is: what is built lies in a fresh folder,
and what is replaced is replaced whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

LEAST_BYTES = 1 << 16  # what is smaller is not worth the search


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def share_equal(fresh: Path, files: Mapping[str, str], manifests: Iterator[Path]) -> None:
    """Make each large one of the ``files`` of ``fresh`` (name: hash) another name of an equal file, if there is one.

    Others are told by their manifests. One that no longer has the hash it is told to have is passed over, as is all
    that goes wrong: a copy is as good.
    """
    wanted = {digest: name for name, digest in files.items() if (fresh / name).stat().st_size >= LEAST_BYTES}
    for manifest in manifests if wanted else ():
        for other, digest in _files_of(manifest).items():
            if digest in wanted and _take_over(manifest.parent / other, fresh / wanted[digest], digest):
                del wanted[digest]


def _take_over(other: Path, own: Path, digest: str) -> bool:
    """Let ``own`` be a name of ``other``; whether it now is."""
    second = own.with_name(own.name + ".same")
    with suppress(OSError):  # no hard links here, or the other one is just being removed
        os.link(other, second)
        if file_hash(second) == digest:
            os.replace(second, own)
            return True
        second.unlink()
    return False


def _files_of(manifest: Path) -> dict[str, str]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return dict(json.loads(manifest.read_text())["files"])
    return {}
