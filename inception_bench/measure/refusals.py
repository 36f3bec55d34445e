"""Asking engines what they refuse here, before weights, reference and export are made for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_bench.backends.registry import find_backend
from inception_bench.measure.engine import Engine
from inception_bench.processes.process import CallFailed
from inception_bench.spec.runtime import Runtime


@dataclass
class Refusals:
    """What each engine said, asked once. ``ask_builder`` and ``engine`` are the workshop's own ways of asking.

    ``pythons`` names the engines of other interpreters.
    """

    ask_builder: Callable[..., dict[str, Any]]
    engine: Callable[[Runtime], Engine]
    pythons: Mapping[str, str]
    known: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def require(self, runtime: Runtime) -> None:
        """Raises CallFailed, unavailable with the engine's reason, where the runtime's engine refuses it."""
        asked = (runtime.backend, runtime.device)
        if asked not in self.known:
            self.known[asked] = self._ask(runtime)
        reason = self.known[asked].get(runtime.precision)
        if reason:
            raise CallFailed("unavailable", reason)

    def _ask(self, runtime: Runtime) -> dict[str, str]:
        """The refusals of the engine on the runtime's device, by precision.

        The builder is asked, which has torch in memory already; a worker for an engine of another interpreter, and
        for one that compiles, as the builder never loads that.
        """
        registered = find_backend(runtime.backend)
        target = registered.target
        if runtime.backend not in self.pythons and not registered.compiles:
            found = self.ask_builder("refusals", backend=target, device=runtime.device)
            return dict(found["refusals"].get(runtime.device, {}))
        engine = self.engine(runtime)
        try:
            # Without a device: what the engine says of a missing driver is part of its answer.
            engine.start(target, runtime.device, without_device=True)
            return dict(engine.refusals(runtime.device).refusals.get(runtime.device, {}))
        finally:
            engine.kill()
