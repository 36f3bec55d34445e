"""The strata of the proof of coverage: under which conditions a cell whose true speed-up is known is timed."""

from __future__ import annotations

from dataclasses import dataclass

EQUAL_TRIALS, SLOWED_TRIALS = 36, 60
# The speed-up of a partner that takes as much longer, by time that its worker burns inside its clock.
INJECTED = (1.02, 1.1, 2.0)


@dataclass(frozen=True)
class Stratum:
    """One kind of trial. ``truth`` is the true speed-up; ``trials`` are wanted.

    ``backend`` and ``threads`` are the only ones of the stratum; None where all take turns. ``loaded``: another program
    burns a core in bursts for half of the time.
    """

    name: str
    trials: int
    truth: float = 1.0
    backend: str | None = None
    threads: int | None = None
    loaded: bool = False

    @property
    def busy_share(self) -> float:
        """The share of a round's own time that the partner burns."""
        return self.truth - 1

    @property
    def is_equal(self) -> bool:
        """Whether both sides are the same program."""
        return self.truth == 1.0


def strata(backends: tuple[str, ...], threads: tuple[int, ...]) -> tuple[Stratum, ...]:
    """A program beside itself on each backend and number of threads, quiet and loaded; and each injected ratio."""
    equal = [
        Stratum(f"{backend}, {_threads(count)}, {name}", EQUAL_TRIALS, 1.0, backend, count, loaded)
        for backend in backends
        for count in threads
        for name, loaded in (("quiet", False), ("loaded", True))
    ]
    return (*equal, *(Stratum(f"{ratio:g} times slower", SLOWED_TRIALS, ratio) for ratio in INJECTED))


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"
