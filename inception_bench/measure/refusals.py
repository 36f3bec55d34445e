"""Asking engines which precisions they refuse on this machine, before weights, reference and export are made."""

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
    """What each engine refuses; every engine is asked once for each device.

    ``ask_builder`` sends a call to the workshop's builder process and returns the reply; ``engine`` starts a worker for
    a runtime. ``pythons`` holds, by backend, the interpreters of engines that are not in this one. ``known`` has the
    reasons by backend and device, then by precision; an empty reason means that the engine can. Where ``asks`` is False
    no process is started, and an engine of which nothing is known is taken to refuse nothing.
    """

    ask_builder: Callable[..., dict[str, Any]]
    engine: Callable[[Runtime], Engine]
    pythons: Mapping[str, str]
    known: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    asks: bool = True

    def require(self, runtime: Runtime) -> None:
        """Raise CallFailed where the engine refuses the runtime: outcome ``unavailable``, and the engine's reason."""
        asked = (runtime.backend, runtime.device)
        if asked not in self.known and self.asks:
            self.known[asked] = self._ask(runtime)
        reason = self.known.get(asked, {}).get(runtime.precision)
        if reason:
            raise CallFailed("unavailable", reason)

    def _ask(self, runtime: Runtime) -> dict[str, str]:
        """The reasons of the engine on the runtime's device, by precision.

        The builder process is asked where that is possible, as it has torch in memory already. A worker is asked for
        an engine of another interpreter, and for an engine that compiles, which the builder never imports.
        """
        registered = find_backend(runtime.backend)
        target = registered.target
        if runtime.backend not in self.pythons and not registered.compiles:
            reply = self.ask_builder("refusals", backend=target, device=runtime.device)
            return dict(reply["refusals"].get(runtime.device, {}))
        engine = self.engine(runtime)
        try:
            # Without the GPU, as a missing driver would end the worker: the engine is to name the driver itself.
            engine.start(target, runtime.device, without_device=True)
            return dict(engine.refusals(runtime.device).refusals.get(runtime.device, {}))
        finally:
            engine.kill()
