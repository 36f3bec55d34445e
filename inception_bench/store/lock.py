"""One process at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process or thread holds the folder, then hold it. The folder must exist.

    The kernel releases the lock when the process that holds it ends, however it ends. The lock's file stays, because
    another process may be waiting on it.
    """
    from filelock import FileLock

    with FileLock(folder / FILE):
        yield
