"""What of a folder live processes use, so that nobody tidies it away under them.

A process that uses something has one lease: a file with the names of what it uses, on which it holds a lock. The
kernel lets go of the lock when the process ends, however it ends; a lease that nobody holds says nothing.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from inception_bench.store.lock import alone_in

FOLDER = ".leases"


@dataclass
class _Lease:
    """This process's own: an open, locked file. Made and added to by one who is alone in the folder."""

    path: Path
    stream: BinaryIO
    names: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, root: Path) -> _Lease:
        folder = root / FOLDER
        folder.mkdir(exist_ok=True)
        forget_dead(root)
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex}"
        stream = path.open("xb", buffering=0)
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, stream)

    def add(self, name: str) -> None:
        self.stream.write(f"{name}\n".encode())
        self.names.add(name)

    def end(self) -> None:
        with suppress(OSError):  # gone with its folder
            self.path.unlink()
        self.stream.close()


_own: dict[Path, _Lease] = {}


def hold(root: Path, name: str) -> None:
    """Say that this process uses ``name`` (a path below ``root``) and what lies in it, until it ends or ``release``.

    Raises OSError where nothing can be written there.
    """
    place = root.absolute()
    if place in _own and name in _own[place].names:
        return
    place.mkdir(parents=True, exist_ok=True)
    with alone_in(place):
        if place not in _own:
            _own[place] = _Lease.begin(place)
        _own[place].add(name)


def release(root: Path) -> None:
    """Say that this process uses nothing there any more."""
    lease = _own.pop(root.absolute(), None)
    if lease is not None:
        lease.end()


@atexit.register
def _release_all() -> None:
    for root in list(_own):
        release(root)


def held(root: Path) -> set[str]:
    """All names that live processes use."""
    names: set[str] = set()
    for path in (root / FOLDER).glob("*"):
        with suppress(FileNotFoundError), path.open("rb") as stream:  # a process that ends takes its lease away
            if _is_locked(stream):
                names.update(stream.read().decode().splitlines())
    return names


def forget_dead(root: Path) -> None:
    """Take away what killed processes left. By one who is alone in ``root``: a fresh lease is locked a moment later."""
    for path in (root / FOLDER).glob("*"):
        with suppress(OSError), path.open("rb") as stream:
            if not _is_locked(stream):
                path.unlink()


def _is_locked(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: those who ask are not in each other's way
    except BlockingIOError:
        return True
    return False
