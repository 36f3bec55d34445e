"""What a person watching sees: which cell, which stage, how many are done, how long is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from inception_bench.report.text import duration

# A first guess for counting one network in the builder.
EXACT_SECONDS = 2.0


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


def expected_cell_seconds(macs: int, batch_size: int, rounds: int) -> float:
    """A first guess: starting two processes, then pairs of calls at 60 GMAC a second."""
    return 6.0 + 2.0 * rounds * macs * batch_size / 60e9


def expected_step_seconds(macs: int, batch_size: int, steps: int) -> float:
    """A first guess: starting a process, then steps of three times a call's work, at half its pace."""
    return 6.0 + steps * 3 * macs * batch_size / 30e9
