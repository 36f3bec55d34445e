"""On which cores the pairs of processes of a duet run: both processes of one on the same, several pairs beside them.

A virtual core can be a third slower than its neighbour for seconds on end, and the kernel leaves a process where it is:
two equal programs of one thread were seen 29 % apart over 1.5 s. So both processes of a pair are held to the same
cores, and another pair runs on other ones meanwhile: of two virtual cores each was seen as fast beside the other as
alone. Which cores a pair gets is drawn anew for each. Where other programs are busy, pairs are timed one after the
other, so that the kernel has a free core to put these on: with every core taken, the errors of pairs were three times
as large.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inception_bench.machine.environment import allowed_cores

# Pairs at once. More share the memory's bandwidth and the last cache, and disturb each other.
MOST_LANES = 2
# So many cores' worth of others' time, and a machine is busy. The clock's ticks make it uncertain by some hundredths.
BUSY_CORES = 0.1
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def draw_lanes(threads: int, draw: random.Random) -> list[tuple[int, ...]]:
    """For each pair of the next ones at once its cores, one for each of ``threads``, drawn from all.

    One pair without cores, which runs wherever the system puts it, where there is no choice among cores: where every
    one is needed, and where the system has no way to choose.
    """
    cores = _physical()
    groups = [tuple(cores[at : at + threads]) for at in range(0, len(cores) - threads + 1, threads)]
    return draw.sample(groups, MOST_LANES) if len(groups) >= MOST_LANES else [()]


def crowded(others_cores: float, taken: int) -> bool:
    """Whether other programs, with so many cores' worth of work, find no free core where ``taken`` are timed on."""
    return others_cores >= BUSY_CORES and taken + others_cores > len(_physical())


def _physical() -> list[int]:
    """One logical core of each usable physical one: two on the same would slow each other. Empty where none is told."""
    seen: set[str] = set()
    chosen = []
    for core in sorted(allowed_cores()):
        siblings = str(core)
        with suppress(OSError):  # not told here: each counts as its own
            siblings = Path(_SIBLINGS.format(core)).read_text().strip()
        if siblings not in seen:
            seen.add(siblings)
            chosen.append(core)
    return chosen


def pin(pid: int, cores: Sequence[int]) -> None:
    """Let all threads of a process run on ``cores`` only; nothing where there are none."""
    if not cores:
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # the thread has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


def pin_this_thread(cores: Sequence[int]) -> None:
    """The calling thread alone: what it does between two rounds of its pair then disturbs no other pair."""
    if cores:
        os.sched_setaffinity(0, cores)


class Others:
    """How much other programs do on the usable cores, from now on."""

    def __init__(self, ours: Sequence[int]):
        """``ours`` are the processes, this one beside them, that do not count; all must live until they are asked."""
        import psutil

        self._psutil = psutil
        self._ours = [psutil.Process(pid) for pid in (os.getpid(), *ours)]
        self._begun, self._before = time.monotonic(), self._seconds()

    def cores(self) -> float:
        """Cores' worth of their time since the beginning, 0 where nothing can be told."""
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
            with suppress(self._psutil.Error):  # it has ended: whoever asks it next says why
                times = process.cpu_times()
                own += times.user + times.system
        return busy - own
