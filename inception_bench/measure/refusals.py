"""Asking engines what they refuse here, before weights, reference and export are made for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_bench.backends.registry import find_backend
from inception_bench.measure.engine import Engine
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case


@dataclass
class Refusals:
    """What each engine said, asked once. ``ask_builder`` and ``engine`` are the workshop's own ways of asking.

    ``pythons`` names the engines of other interpreters.
    """

    ask_builder: Callable[..., dict[str, Any]]
    engine: Callable[[Case], Engine]
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
            found = self.ask_builder("refusals", backend=target, device=case.device)
            return dict(found["refusals"].get(case.device, {}))
        engine = self.engine(case)
        try:
            # Without a device: what the engine says of a missing driver is part of its answer.
            engine.start(target, case.device, without_device=True)
            return dict(engine.refusals(case.device).refusals.get(case.device, {}))
        finally:
            engine.kill()
