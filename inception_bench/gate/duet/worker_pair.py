"""A worker process of each side, alive together, and calls to both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from inception_bench.machine.cores import pin
from inception_bench.measure.engine import CallLimit, Engine, EngineFailed, ask_each
from inception_bench.spec.profile import Limits
from inception_bench.spec.runtime import Runtime

T = TypeVar("T")


class SideStopped(Exception):
    """A side that cannot go on; ``str()`` is the reason."""

    def __init__(self, side: str, outcome: str, stage: str, reason: str):
        super().__init__(reason)
        self.side, self.outcome, self.stage = side, outcome, stage


class WorkerPair:
    """``engines`` and ``runtimes`` are by side, in the order in which the workers were started.

    ``cores`` is how many of the machine's cores this pair may use. ``calls_at_once`` says whether both workers may call
    their networks at the same time: only where each of their threads has a core of its own. Threads that wait for each
    other on one core take ten times as long.
    """

    def __init__(self, engines: Mapping[str, Engine], runtimes: Mapping[str, Runtime], limits: Limits, cores: int):
        self.engines, self._limits, self._stage = engines, limits, ""
        self.calls_at_once = all(runtime.device == "cpu" for runtime in runtimes.values()) and (
            sum(runtime.threads for runtime in runtimes.values()) <= cores
        )

    @property
    def pids(self) -> list[int]:
        return [engine.pid for engine in self.engines.values()]

    def enter(self, stage: str) -> None:
        """From now on each call may take the limit of ``stage``."""
        self._stage = stage
        for engine in self.engines.values():
            engine.limit = CallLimit(getattr(self._limits, stage))

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """A call that gives no result stops its side. Raises SideStopped."""
        try:
            yield
        except EngineFailed as error:
            side = next(side for side, engine in self.engines.items() if engine is error.engine)
            raise SideStopped(side, error.outcome, self._stage, str(error)) from None

    def ask_both(self, ask: Callable[[Engine], Callable[[], T]], *, at_once: bool = True) -> dict[str, T]:
        """Both sides' answers to the call that ``ask`` begins by its ``later``."""
        return ask_each(self.engines, lambda _, engine: ask(engine), at_once=at_once)

    def pin(self, cores: Sequence[int]) -> None:
        """Let both processes run on ``cores`` only; on any core where ``cores`` is empty."""
        for pid in self.pids:
            pin(pid, cores)

    def close(self) -> None:
        """Let the engines go."""
        for engine in self.engines.values():
            engine.close()

    def kill(self) -> None:
        """End both processes, whatever they are doing."""
        for engine in self.engines.values():
            engine.kill()
