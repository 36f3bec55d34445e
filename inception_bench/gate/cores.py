"""Both processes of a duet on the same cores, and on other ones each block.

A virtual core can be a third slower than its neighbour for seconds on end, and the kernel leaves a process where it is:
two equal programs of one thread were seen 29 % apart over 1.5 s. So both run each block on the same cores,
which change from block to block: no side gets the better ones, and the fastest rounds find them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path


def core_groups(threads: int, draw: random.Random) -> Iterator[tuple[int, ...]]:
    """Without end: so many cores a block, each group once in random order, then again. Empty: wherever they are.

    Empty where every core is needed, and where the system has no way to choose.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    groups = [tuple(cores[at : at + threads]) for at in range(0, len(cores) - threads + 1, threads)]
    while True:
        if len(groups) < 2:
            yield ()
            continue
        draw.shuffle(groups)
        yield from groups


def pin(pid: int, cores: Sequence[int]) -> None:
    """Let all threads of a process run on ``cores`` only; nothing where there are none."""
    if not cores:
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # the thread has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)
