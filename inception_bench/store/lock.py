"""One process at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process or thread is here, and keep others out meanwhile. The folder must exist.

    The kernel holds the lock, and lets go of it when its holder ends, however it ends. The file stays: another
    process may wait on it.
    """
    from filelock import FileLock

    with FileLock(folder / FILE):
        yield
