"""A worker of each side, alive together, and how both are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from inception_bench.gate.cores import pin
from inception_bench.measure.machine import usable_cores
from inception_bench.measure.process import CallFailed, Process
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Limits

Answer = tuple[dict[str, Any], Sequence[np.ndarray]]
_CLOSE_LIMIT_S = 10.0


class SideStopped(Exception):
    """A side that cannot go on; ``str()`` is the reason."""

    def __init__(self, side: str, outcome: str, stage: str, reason: str):
        super().__init__(reason)
        self.side, self.outcome, self.stage = side, outcome, stage


class WorkerPair:
    """``workers`` and ``cases`` by side, in the order in which they were started. Every call may raise SideStopped."""

    def __init__(self, workers: Mapping[str, Process], cases: Mapping[str, Case], limits: Limits):
        self._workers, self._limits = workers, limits
        self._threads = [cases[side].threads for side in workers]
        self._device = next(iter(cases.values())).device

    @property
    def sides(self) -> list[str]:
        return list(self._workers)

    @property
    def most_threads(self) -> int:
        return max(self._threads)

    def ask(self, side: str, stage: str, op: str, **fields: Any) -> Answer:
        """One side's answer."""
        self._workers[side].start(op, **fields)
        return self._finish(side, stage)

    def ask_both(self, stage: str, op: str, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Answer]:
        """Both sides' answers to the same call with each side's ``fields``, worked on at once."""
        for side in self._workers:
            self._workers[side].start(op, **fields[side])
        return {side: self._finish(side, stage) for side in self._workers}

    def run_both(self, stage: str, op: str, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Answer]:
        """The same for calls of the network: at once only where each thread of both has a core of its own.

        Threads that wait for each other on one core take ten times as long.
        """
        if self._device == "cpu" and sum(self._threads) <= usable_cores():
            return self.ask_both(stage, op, fields)
        return {side: self.ask(side, stage, op, **fields[side]) for side in self._workers}

    def pin(self, cores: Sequence[int]) -> None:
        """Hold both to ``cores``; leave them where none are given."""
        for worker in self._workers.values():
            pin(worker.pid, cores)

    def close(self) -> None:
        """Let the engines go."""
        for worker in self._workers.values():
            with suppress(CallFailed):  # it has answered all that counts
                worker.call("close", _CLOSE_LIMIT_S)

    def _finish(self, side: str, stage: str) -> Answer:
        try:
            return self._workers[side].finish(getattr(self._limits, stage))
        except CallFailed as error:
            raise SideStopped(side, error.outcome, stage, str(error)) from None
