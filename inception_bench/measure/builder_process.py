"""The builder process of a workshop: started when it is first asked, and again where it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inception_bench.machine.environment import usable_cores
from inception_bench.processes.installation import HERE, Installation
from inception_bench.processes.process import Process

BUILDER = "inception_bench.builder"


@dataclass
class BuilderProcess:
    """Asks a builder, whose every reply may take ``limit_s`` seconds.

    ``variables()`` gives the environment of a new process. It computes with ``threads``, or with all usable cores where
    that is None; weights, and exports that depend on them, have threads of their own (see ``builder.py``).
    """

    limit_s: float
    variables: Callable[[], dict[str, str]]
    installation: Installation = HERE
    threads: int | None = None
    _process: Process | None = field(default=None, init=False)

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """The reply to a call. Raises CallFailed."""
        if self._process is None or not self._process.alive:
            self._process = Process(BUILDER, environment=self.variables(), installation=self.installation)
            self._process.call("threads", self.limit_s, threads=self.threads or usable_cores())
        return self._process.call(op, self.limit_s, **fields)[0]

    def interrupt(self) -> None:
        """From another thread than the one that asks: end the process, so that its call fails now."""
        process = self._process  # which that thread may take away
        if process is not None:
            process.interrupt()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process = None
