"""Files that are replaced as a whole: a reader never sees half of one, and a kill leaves the old one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write ``text`` beside ``path`` and let it take the old file's place. Raises OSError where that cannot be."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait for other programs that hold ``folder`` so: two that end together would each write without the other's."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
