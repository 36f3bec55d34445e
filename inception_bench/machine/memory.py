"""How much memory a program may still take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# What limits a container, which sees the whole machine's memory: the most it may have, and what it has, in bytes.
CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def available_bytes() -> int:
    """Bytes that programs may take before the machine swaps or, in a container, the kernel kills one of them.

    The container's own files in the page cache count as taken, so that it is rather too little than too much.
    """
    import psutil

    return min([int(psutil.virtual_memory().available), *_left_to_container()])


def _left_to_container() -> Iterator[int]:
    for most, taken in CGROUPS:
        with suppress(OSError, ValueError):  # no such container, or its limit is "max": it has none
            yield max(int(most.read_text()) - int(taken.read_text()), 0)
