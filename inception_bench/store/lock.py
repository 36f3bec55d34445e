"""One process, and one thread of it, at a time: in a folder, or at what a file stands for."""

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
    with alone_with(folder / FILE):
        yield


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Wait until no other process or thread holds ``file``, then hold it; its folder must exist.

    As with ``alone_in`` the kernel releases it, and the file stays.
    """
    from filelock import FileLock

    with FileLock(file):
        yield
