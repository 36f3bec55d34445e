"""How the coordinator calls a worker: each call that a worker knows, the reply, and how long the reply may take.

The calls are methods of ``Engine``, and their names are the worker's verbs, which the coordinator names nowhere else.
``engine.load(folder, setup)`` sends the call and waits for the reply. ``engine.load.later(folder, setup)`` only sends
the call and returns a function that waits, so that several engines can work at the same time (``ask_each``). What a
worker replies is a *reply* (``measure/replies.py``); *answers* are a network's answers to images.
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
    """A call that gave no result, or a reply with which no cell can go on; ``engine`` is the engine that was called."""

    def __init__(self, engine: Engine, outcome: str, reason: str):
        super().__init__(outcome, reason)
        self.engine = engine


class TimeLimit(Protocol):
    """How long the next reply may take."""

    def left(self) -> float:
        """Seconds from now on."""


@dataclass(frozen=True)
class CallLimit:
    """Each call by itself may take ``seconds``, however many calls there are."""

    seconds: float

    def left(self) -> float:
        return self.seconds


@dataclass
class StageLimit:
    """The limit of the stage that is under way: all its calls together may take that long, counted from ``enter``."""

    limits: Limits
    stage: str = field(default="", init=False)
    _until: float = field(default=0.0, init=False)

    @property
    def seconds(self) -> float:
        """The whole limit of the stage, in seconds."""
        return float(getattr(self.limits, self.stage))

    def enter(self, stage: str) -> None:
        """From now on ``stage`` is under way."""
        self.stage = stage
        self._until = time.monotonic() + self.seconds

    def left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)


@dataclass(frozen=True)
class Call(Generic[T]):
    """What is sent with a verb, and the type of the reply; ``check`` may refuse a reply by raising CallFailed."""

    reply: type[T]
    sent: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[T], None] | None = None

    def read(self, verb: str, header: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> T:
        """The reply as a value of its type. Fields that only newer workers send are left out. Raises CallFailed."""
        # Every reply is a dataclass, which a type variable cannot say.
        given, known = {**header, "arrays": arrays}, fields(self.reply)  # type: ignore[arg-type]
        lacking = [each.name for each in known if each.name not in given and _is_needed(each)]
        if lacking:
            raise CallFailed("failed", f"the worker's answer to {verb!r} lacks {', '.join(lacking)}")
        reply = self.reply(**{each.name: given[each.name] for each in known if each.name in given})
        if self.check is not None:
            self.check(reply)
        return reply


def _is_needed(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


class Asking(Generic[P, T]):
    """A verb of one engine. Calling the object sends the verb and waits for the reply."""

    def __init__(self, engine: Engine, verb: str, make: Callable[Concatenate[Engine, P], Call[T]]):
        self._engine, self._verb, self._make = engine, verb, make

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.later(*args, **kwargs)()

    def later(self, *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """Send the verb without waiting; the function that is returned waits for the reply, and raises EngineFailed."""
        call = self._make(self._engine, *args, **kwargs)
        self._engine.process.start(self._verb, **call.sent)
        return lambda: self._engine.receive(self._verb, call)


class Verb(Generic[P, T]):
    """Makes a verb from a method of ``Engine``: the method says what is sent and which type the reply has."""

    def __init__(self, make: Callable[Concatenate[Engine, P], Call[T]]):
        self._make, self._name, self.__doc__ = make, make.__name__, make.__doc__

    def __get__(self, engine: Engine, owner: type[Engine]) -> Asking[P, T]:
        return Asking(engine, self._name, self._make)


class Engine:
    """A worker process. ``limit`` says how long a reply may take and may be replaced. All calls raise EngineFailed.

    The first call is ``start``. To run a network, ``load`` and ``first`` follow, and then any call but ``compile``.
    ``images`` is a file of images (N, 3, S, S) in float32, ``folder`` the folder of an artifact.
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
        """Import the backend at the address ``module:object``, and its engine.

        With ``without_device`` the GPU is not opened; the engine can then be asked what it refuses, or compile.
        """
        sent = {"backend": backend, "device": device, "without_device": without_device, "protocol": PROTOCOL}
        return Call(Started, sent, self._know)

    @Verb
    def refusals(self, device: str | None = None) -> Call[Refused]:
        """The engine's reason against each precision, on ``device`` or, with None, on all devices that it knows."""
        return Call(Refused, {"device": device})

    @Verb
    def compile(self, graph: Path, folder: Path, setup: Setup, *, without_device: bool = False) -> Call[Done]:
        """Let the engine compile the exported graph in the folder ``graph`` to a file of its own in ``folder``."""
        sent = {"graph": str(graph), "folder": str(folder), "setup": vars(setup), "without_device": without_device}
        return Call(Done, sent)

    @Verb
    def load(self, folder: Path, setup: Setup) -> Call[Loaded]:
        """Load the artifact in ``folder``."""
        return Call(Loaded, {"folder": str(folder), "setup": vars(setup)})

    @Verb
    def first(self, images: Path, batch_size: int) -> Call[FirstCall]:
        """Call the network for the first time, on the first ``batch_size`` images, which all timed calls get too."""
        return Call(FirstCall, {"images": str(images), "batch_size": batch_size})

    @Verb
    def attest(self, setup: Setup) -> Call[Attested]:
        """Ask how the session really runs, and where that differs from ``setup``."""
        return Call(Attested, {"setup": vars(setup)})

    @Verb
    def logits(self, images: Path, batch_size: int, count: int | None = None) -> Call[Logits]:
        """The logits of the first ``count`` images, or of all with None. Workers of protocol 1 may send all anyway."""
        return Call(Logits, {"images": str(images), "batch_size": batch_size, "count": count})

    @Verb
    def warm_up(self, rounds: int) -> Call[WarmedUp]:
        """Call the network ``rounds`` times before the rounds that count."""
        return Call(WarmedUp, {"rounds": rounds})

    @Verb
    def slow(self, share: float) -> Call[Done]:
        """Make each call take longer from now on, by a ``share`` of its own time, to prove that a gate notices it."""
        return Call(Done, {"share": share})

    @Verb
    def begin(self, l2: str = WARM) -> Call[Begun]:
        """Prepare for the rounds: the last call before the first one.

        ``l2`` is the state in which each round finds a GPU's second-level cache (see ``L2_STATES``).
        """
        if l2 == WARM:  # the state that workers take when none is sent, and the only one that protocol 1 knows
            return Call(Begun)
        if self._protocol < 2:
            raise EngineFailed(self, "unavailable", f"a worker of protocol 1 times with a warm cache alone, not {l2}")
        return Call(Begun, {"l2": l2})

    @Verb
    def round(self) -> Call[Round]:
        """Time one call of the network."""
        return Call(Round)

    @Verb
    def end(self) -> Call[Ended]:
        """Ask for the peak of memory, after the last round."""
        return Call(Ended)

    @Verb
    def on_device(self, rounds: int, window_s: float) -> Call[OnDevice]:
        """Measure what only a GPU has, after the rounds.

        That is its memory, ``rounds`` calls whose batch is transferred from the host, and power over ``window_s``
        seconds.
        """
        return Call(OnDevice, {"rounds": rounds, "window_s": window_s})

    def close(self) -> None:
        """Let the worker close its session; does not end the process. Raises nothing, even if the process is gone."""
        if self.alive:
            with suppress(CallFailed):  # all that counts was replied already
                self.process.call("close", _CLOSE_LIMIT_S)

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()

    def receive(self, verb: str, call: Call[T]) -> T:
        """Wait for the reply to a call that was sent. Raises EngineFailed."""
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
    """Each engine's reply to a call.

    ``ask`` sends the call to an engine with ``later`` and returns the function that waits. With ``at_once`` all engines
    work at the same time, otherwise one after the other.
    """
    if not at_once:
        return {key: ask(key, engine)() for key, engine in engines.items()}
    sent = {key: ask(key, engine) for key, engine in engines.items()}
    return {key: wait() for key, wait in sent.items()}
