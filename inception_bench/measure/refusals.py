"""Asking engines what they refuse here, before weights, reference and export are made for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_bench.backends.registry import find_backend
from inception_bench.processes.process import CallFailed, Process
from inception_bench.spec.case import Case


@dataclass
class Refusals:
    """What each engine said, asked once. ``ask_builder`` and ``worker`` are the workshop's own ways of asking.

    ``pythons`` names the engines of other interpreters; ``limit_s`` are the seconds that an answer may take.
    """

    ask_builder: Callable[..., dict[str, Any]]
    worker: Callable[[Case], Process]
    limit_s: float
    pythons: Mapping[str, str]
    known: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def require(self, case: Case) -> None:
        """Raises CallFailed, unavailable with the engine's reason, where the case's engine refuses it."""
        asked = (case.backend, case.device)
        if asked not in self.known:
            self.known[asked] = self._ask(case)
        reason = self.known[asked].get(case.precision)
        if reason:
            raise CallFailed("unavailable", reason)

    def _ask(self, case: Case) -> dict[str, str]:
        """The refusals of the engine on the case's device, by precision.

        The builder is asked, which has torch in memory already; a worker for an engine of another interpreter, and
        for one that compiles, as the builder never loads that.
        """
        registered = find_backend(case.backend)
        target = registered.target
        if case.backend not in self.pythons and not registered.compiles:
            return _on_device(self.ask_builder("refusals", backend=target, device=case.device), case.device)
        worker = self.worker(case)
        try:
            # Without a device: what the engine says of a missing driver is part of its answer.
            worker.call("start", self.limit_s, backend=target, device=case.device, without_device=True)
            found, _ = worker.call("refusals", self.limit_s, device=case.device)
            return _on_device(found, case.device)
        finally:
            worker.kill()


def _on_device(answer: Mapping[str, Any], device: str) -> dict[str, str]:
    refusals: dict[str, str] = answer["refusals"].get(device, {})
    return refusals
