"""A worker of each side, alive together, and how both are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from inception_bench.machine.cores import pin
from inception_bench.processes.process import CallFailed, Process
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
    """``workers`` and ``cases`` by side, in the order in which they were started. Every call may raise SideStopped.

    ``cores`` is how many of the machine's are for this pair.
    """

    def __init__(self, workers: Mapping[str, Process], cases: Mapping[str, Case], limits: Limits, cores: int):
        self._workers, self._limits = workers, limits
        self._at_once = all(case.device == "cpu" for case in cases.values()) and (
            sum(case.threads for case in cases.values()) <= cores
        )

    @property
    def sides(self) -> list[str]:
        return list(self._workers)

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers.values()]

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
        if self._at_once:
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

    def kill(self) -> None:
        """End both processes, whatever they are doing."""
        for worker in self._workers.values():
            worker.kill()

    def _finish(self, side: str, stage: str) -> Answer:
        try:
            return self._workers[side].finish(getattr(self._limits, stage))
        except CallFailed as error:
            raise SideStopped(side, error.outcome, stage, str(error)) from None
