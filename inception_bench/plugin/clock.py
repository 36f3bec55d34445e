"""The clock that pytest-benchmark reads."""

from __future__ import annotations


class ReportedClock:
    """A clock of virtual time for pytest-benchmark: it moves on by what a worker measured."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def __repr__(self) -> str:
        return "ReportedClock(seconds measured inside the worker)"
