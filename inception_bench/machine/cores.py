"""On which cores the pairs of processes of a duet run.

A virtual core can be a third slower than its neighbour for seconds on end, and the kernel leaves a process on its core:
two equal programs of one thread were seen to differ by 29 % over 1.5 s. So both processes of a pair are held to the
same cores. Another pair runs on other cores at the same time: two virtual cores were seen to be as fast side by side as
each alone. The cores of each pair are drawn at random. Where other programs are busy, pairs are timed one after the
other, so that a core is left for the other programs: with every core in use, the errors of pairs were three times as
large.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inception_bench.machine.environment import allowed_cores

# Pairs that run at the same time. More would disturb each other, as they share memory bandwidth and the last cache.
MOST_LANES = 2
# Others are busy where they use this many cores or more. The kernel's ticks make that uncertain by some hundredths.
BUSY_CORES = 0.1
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def draw_lanes(threads: int, draw: random.Random) -> list[tuple[int, ...]]:
    """The cores of each of the next pairs that run at the same time, drawn at random: as many cores as ``threads``.

    Where there is no choice, because all cores are needed or because the system cannot tell or choose them, the result
    is one pair with an empty tuple of cores: that pair runs wherever the system puts it.
    """
    cores = _physical()
    groups = [tuple(cores[at : at + threads]) for at in range(0, len(cores) - threads + 1, threads)]
    return draw.sample(groups, MOST_LANES) if len(groups) >= MOST_LANES else [()]


def crowded(others_cores: float, taken: int) -> bool:
    """Whether other programs, which keep ``others_cores`` cores busy, find no free core beside ``taken`` timed ones."""
    return others_cores >= BUSY_CORES and taken + others_cores > len(_physical())


def _physical() -> list[int]:
    """One logical core of each usable physical core, as two logical cores of one physical core slow each other.

    Empty where the system does not tell which cores are usable.
    """
    seen: set[str] = set()
    chosen = []
    for core in sorted(allowed_cores()):
        siblings = str(core)
        with suppress(OSError):  # siblings are not told here: each logical core counts as a physical core
            siblings = Path(_SIBLINGS.format(core)).read_text().strip()
        if siblings not in seen:
            seen.add(siblings)
            chosen.append(core)
    return chosen


def pin(pid: int, cores: Sequence[int]) -> None:
    """Let all threads of a process run on ``cores`` only; does nothing where ``cores`` is empty."""
    if not cores:
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # the thread has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


def pin_this_thread(cores: Sequence[int]) -> None:
    """Let the calling thread alone run on ``cores`` only, so that its work between rounds disturbs no other pair."""
    if cores:
        os.sched_setaffinity(0, cores)


class Others:
    """Measures how busy other programs keep the usable cores, from the moment it is made."""

    def __init__(self, ours: Sequence[int]):
        """``ours`` are processes that, like this one, are not counted as others; they must live until ``cores()``."""
        import psutil

        self._psutil = psutil
        self._ours = [psutil.Process(pid) for pid in (os.getpid(), *ours)]
        self._begun, self._before = time.monotonic(), self._seconds()

    def cores(self) -> float:
        """How many cores other programs have kept busy on average since then (1.5: one and a half); at least 0."""
        passed = time.monotonic() - self._begun
        return max(self._seconds() - self._before, 0.0) / passed if passed > 0 else 0.0

    def _seconds(self) -> float:
        usable = allowed_cores()
        busy: float = sum(
            sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
            for core, times in enumerate(self._psutil.cpu_times(percpu=True))
            if core in usable
        )
        own = 0.0
        for process in self._ours:
            with suppress(self._psutil.Error):  # the process has ended; the next call to it says why
                times = process.cpu_times()
                own += times.user + times.system
        return busy - own
