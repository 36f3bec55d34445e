"""The coordinator's side of a worker: each call that it answers, what comes back, and how long that may take.

The calls are methods of ``Engine`` whose names are the worker's verbs, which stand nowhere else on this side.
``engine.load(folder, setup)`` asks and waits for the answer. ``engine.load.later(folder, setup)`` asks and gives a
function that waits, so that several engines can work at the same time (``ask_each``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import numpy as np

from inception_bench.backends.base import Setup
from inception_bench.machine.processor import WARM
from inception_bench.measure.replies import (
    Attested,
    Begun,
    Done,
    Ended,
    FirstCall,
    Loaded,
    Logits,
    OnDevice,
    Refused,
    Round,
    Started,
    WarmedUp,
)
from inception_bench.processes.process import CallFailed, Process
from inception_bench.processes.protocol import OLDEST_PROTOCOL, PROTOCOL
from inception_bench.spec.profile import Limits

WORKER = "inception_bench.worker"
_CLOSE_LIMIT_S = 10.0

P = ParamSpec("P")
T = TypeVar("T")
Key = TypeVar("Key")


class EngineFailed(CallFailed):
    """A call that gave no result, or an answer that no cell can go on with; ``engine`` says whose."""

    def __init__(self, engine: Engine, outcome: str, reason: str):
        super().__init__(outcome, reason)
        self.engine = engine


class TimeLimit(Protocol):
    """How long the next answer may take."""

    def left(self) -> float:
        """Seconds from now on."""


@dataclass(frozen=True)
class CallLimit:
    """Every call may take ``seconds``, however many there are."""

    seconds: float

    def left(self) -> float:
        return self.seconds


@dataclass
class StageLimit:
    """The stage that engines are in: all its calls together may take its limit, counted from ``enter``."""

    limits: Limits
    stage: str = field(default="", init=False)
    _until: float = field(default=0.0, init=False)

    @property
    def seconds(self) -> float:
        """The whole limit of the stage."""
        return float(getattr(self.limits, self.stage))

    def enter(self, stage: str) -> None:
        """From now on ``stage`` is under way."""
        self.stage = stage
        self._until = time.monotonic() + self.seconds

    def left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)


@dataclass(frozen=True)
class Call(Generic[T]):
    """What is sent with a verb, and which answer is expected; ``check`` may refuse it."""

    answer: type[T]
    sent: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[T], None] | None = None

    def read(self, verb: str, header: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> T:
        """The answer as a value. What a newer worker says beyond it is left out. Raises CallFailed."""
        given, known = {**header, "arrays": arrays}, fields(self.answer)  # type: ignore[arg-type]
        lacking = [each.name for each in known if each.name not in given and _is_needed(each)]
        if lacking:
            raise CallFailed("failed", f"the worker's answer to {verb!r} lacks {', '.join(lacking)}")
        found = self.answer(**{each.name: given[each.name] for each in known if each.name in given})
        if self.check is not None:
            self.check(found)
        return found


def _is_needed(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


class Asking(Generic[P, T]):
    """A verb of one engine. Called, it asks and waits."""

    def __init__(self, engine: Engine, verb: str, make: Callable[Concatenate[Engine, P], Call[T]]):
        self._engine, self._verb, self._make = engine, verb, make

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.later(*args, **kwargs)()

    def later(self, *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """Ask without waiting; what is given back waits for the answer, and raises EngineFailed."""
        call = self._make(self._engine, *args, **kwargs)
        self._engine.process.start(self._verb, **call.sent)
        return lambda: self._engine.receive(self._verb, call)


class Verb(Generic[P, T]):
    """Makes a verb of a method of ``Engine``: the method says what is sent and which answer is expected."""

    def __init__(self, make: Callable[Concatenate[Engine, P], Call[T]]):
        self._make, self._name, self.__doc__ = make, make.__name__, make.__doc__

    def __get__(self, engine: Engine, owner: type[Engine]) -> Asking[P, T]:
        return Asking(engine, self._name, self._make)


class Engine:
    """A worker process. ``limit`` says how long an answer may take and may be replaced. All calls raise EngineFailed.

    The first call is ``start``; ``load``, ``first`` and then any but ``compile`` follow. ``images`` is a file of
    images (N, 3, S, S) in float32, ``folder`` that of an artifact.
    """

    def __init__(self, process: Process, limit: TimeLimit):
        self.process, self.limit = process, limit
        self._protocol = OLDEST_PROTOCOL

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.alive

    @Verb
    def start(self, backend: str, device: str, *, without_device: bool = False) -> Call[Started]:
        """Import the engine at an address ``module:object``; without a device it is only asked, or compiles."""
        sent = {"backend": backend, "device": device, "without_device": without_device, "protocol": PROTOCOL}
        return Call(Started, sent, self._know)

    @Verb
    def refusals(self, device: str | None = None) -> Call[Refused]:
        """Why this machine cannot do each precision on a device, or on all that the engine knows."""
        return Call(Refused, {"device": device})

    @Verb
    def compile(self, graph: Path, folder: Path, setup: Setup, *, without_device: bool = False) -> Call[Done]:
        """Let the engine make its own file, in ``folder``, of the exported graph in ``graph``."""
        sent = {"graph": str(graph), "folder": str(folder), "setup": vars(setup), "without_device": without_device}
        return Call(Done, sent)

    @Verb
    def load(self, folder: Path, setup: Setup) -> Call[Loaded]:
        """Load an artifact."""
        return Call(Loaded, {"folder": str(folder), "setup": vars(setup)})

    @Verb
    def first(self, images: Path, batch_size: int) -> Call[FirstCall]:
        """The first call, on the first images, which every timed call then has too."""
        return Call(FirstCall, {"images": str(images), "batch_size": batch_size})

    @Verb
    def attest(self, setup: Setup) -> Call[Attested]:
        """How the session really runs, compared with ``setup``."""
        return Call(Attested, {"setup": vars(setup)})

    @Verb
    def logits(self, images: Path, batch_size: int, count: int | None = None) -> Call[Logits]:
        """The answers to the first ``count`` images, or to all. The oldest workers always answer all."""
        return Call(Logits, {"images": str(images), "batch_size": batch_size, "count": count})

    @Verb
    def warm_up(self, rounds: int) -> Call[WarmedUp]:
        """Calls that do not count."""
        return Call(WarmedUp, {"rounds": rounds})

    @Verb
    def slow(self, share: float) -> Call[Done]:
        """From now on each call takes longer by a share of its own time: for proving that a gate sees it."""
        return Call(Done, {"share": share})

    @Verb
    def begin(self, l2: str = WARM) -> Call[Begun]:
        """The last call before the first round; ``l2`` is how each finds a GPU's second-level cache (``L2_STATES``)."""
        if l2 == WARM:  # what a worker does that is told nothing, and all that the first protocol can do
            return Call(Begun)
        if self._protocol < 2:
            raise EngineFailed(self, "unavailable", f"a worker of protocol 1 times with a warm cache alone, not {l2}")
        return Call(Begun, {"l2": l2})

    @Verb
    def round(self) -> Call[Round]:
        """One timed call."""
        return Call(Round)

    @Verb
    def end(self) -> Call[Ended]:
        """After the last round: the peak of memory."""
        return Call(Ended)

    @Verb
    def on_device(self, rounds: int, window_s: float) -> Call[OnDevice]:
        """On a GPU, after the rounds: memory, calls with their input's transfer, ``window_s`` seconds of power."""
        return Call(OnDevice, {"rounds": rounds, "window_s": window_s})

    def close(self) -> None:
        """Let the engine go; the process lives on, if it does. Raises nothing."""
        if self.alive:
            with suppress(CallFailed):  # it has answered all that counts
                self.process.call("close", _CLOSE_LIMIT_S)

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()

    def receive(self, verb: str, call: Call[T]) -> T:
        """Wait for the answer to a call that was sent. Raises EngineFailed."""
        try:
            header, arrays = self.process.finish(self.limit.left())
            return call.read(verb, header, arrays)
        except CallFailed as error:
            raise EngineFailed(self, error.outcome, str(error)) from None

    def _know(self, started: Started) -> None:
        if started.protocol not in range(OLDEST_PROTOCOL, PROTOCOL + 1):
            raise CallFailed(
                "failed",
                f"the worker speaks protocol {started.protocol}, this inception_bench {OLDEST_PROTOCOL} to {PROTOCOL}; "
                "install the same revision for both, or start it from the newer one",
            )
        self._protocol = started.protocol


def ask_each(
    engines: Mapping[Key, Engine], ask: Callable[[Key, Engine], Callable[[], T]], *, at_once: bool
) -> dict[Key, T]:
    """Each engine's answer to a call that ``ask`` sends with ``later``: all work at once, or one after the other."""
    if not at_once:
        return {key: ask(key, engine)() for key, engine in engines.items()}
    sent = {key: ask(key, engine) for key, engine in engines.items()}
    return {key: answer() for key, answer in sent.items()}
