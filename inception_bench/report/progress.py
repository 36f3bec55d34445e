"""What a person watching sees: which cell, which stage, how many are done, how long is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from inception_bench.report.text import duration
from inception_bench.spec.runtime import Runtime

# A first guess for counting one network in the builder.
EXACT_SECONDS = 2.0
# First guesses for cells: seconds for starting processes, MACs a second in fp32 on two cores and on a large GPU; and on
# a GPU the seconds beside the rounds (libraries, cuDNN's search, the window for reading power) and for compiling.
_START_S, _CPU_MACS_S, _CUDA_MACS_S = 6.0, 60e9, 15e12
_CUDA_CELL_S = 14.0
_CUDA_COMPILE_S = {"compile": 45.0, "aot_inductor": 75.0, "tensorrt": 90.0, "tensorrt_rtx": 60.0}


@dataclass
class Progress:
    """Estimates the time left from the work done so far.

    ``expected_s`` has a first guess in seconds for each item, in order; guesses are scaled by how
    the finished items' real times compare with theirs. ``clock`` gives seconds.
    """

    expected_s: list[float]
    clock: Callable[[], float]
    done: int = field(default=0, init=False)
    _spent_s: float = field(default=0.0, init=False)
    _began: float = field(default=0.0, init=False)

    def begin(self) -> None:
        """The next item starts now."""
        self._began = self.clock()

    def finish(self) -> None:
        """The item that began is done, whatever came of it."""
        self._spent_s += self.clock() - self._began
        self.done += 1

    def seconds_left(self) -> float:
        """An estimate for the item under way and all after it."""
        guessed = sum(self.expected_s[: self.done])
        scale = self._spent_s / guessed if guessed else 1.0
        own = max(self.expected_s[self.done] * scale - (self.clock() - self._began), 0.0)
        return own + scale * sum(self.expected_s[self.done + 1 :])

    def head(self) -> str:
        """``[3/8]``: the item under way, of how many."""
        return f"[{self.done + 1}/{len(self.expected_s)}]"

    def tail(self) -> str:
        """``about 1:20 left``."""
        return f"about {duration(self.seconds_left())} left"


def expected_cell_seconds(runtime: Runtime, macs: int, rounds: int) -> float:
    """A first guess for a cell whose network has ``macs`` an image: two processes, then pairs of rounds."""
    work = 2 * rounds * macs * runtime.batch_size
    if runtime.device == "cpu":
        return _START_S + work / _CPU_MACS_S
    # Each round has a call beside it that does not count.
    return _CUDA_CELL_S + _CUDA_COMPILE_S.get(runtime.backend, 0.0) + 2 * work / _CUDA_MACS_S


def expected_step_seconds(runtime: Runtime, macs: int, steps: int) -> float:
    """A first guess: starting a process, then steps of three times a call's work, at half its pace."""
    work = 3 * steps * macs * runtime.batch_size
    return _START_S + (2 * work / _CPU_MACS_S if runtime.device == "cpu" else _CUDA_CELL_S + 2 * work / _CUDA_MACS_S)
