"""What every backend needs and what it has on this machine.

Each backend's engine is asked in a fresh process, so that an engine that crashes costs only its own line of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_bench.backends.registry import Registered, backends
from inception_bench.machine.cuda import REMEDY, driver_problem
from inception_bench.measure.engine import WORKER, CallLimit, Engine
from inception_bench.processes.process import CallFailed, Process

LIMIT_S = 120.0


@dataclass(frozen=True)
class Checkup:
    """What was learned of one backend.

    ``refusals`` has, for each device and precision, the reason why the engine cannot; an empty text means that it can.
    ``ready`` says whether it can in any. ``command`` installs what is missing; empty where nothing is missing, or where
    no command helps.
    """

    backend: str
    ready: bool
    versions: dict[str, str]
    refusals: dict[str, dict[str, str]] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    reason: str = ""
    command: str = ""

    def precisions(self, device: str) -> list[str]:
        """The precisions in which the backend can be used on ``device``."""
        return [precision for precision, refusal in self.refusals.get(device, {}).items() if not refusal]


def examine(names: Iterable[str] | None = None, pythons: Mapping[str, str] | None = None) -> Iterator[Checkup]:
    """A checkup of each named backend, or of all with None; each is yielded as soon as it is known.

    ``pythons`` names the interpreters of backends whose engines are in another one.
    """
    for name in backends() if names is None else names:
        yield examine_one(backends()[name], (pythons or {}).get(name))


def examine_one(registered: Registered, python: str | None = None) -> Checkup:
    """Import the engine in a fresh process and ask it what it can do here."""
    backend = registered.backend
    known: dict[str, Any] = {
        "versions": {name: version for name, version in registered.versions().items() if version},
        "options": {name: list(values) for name, values in registered.options.items()},
    }
    absent = registered.missing(building_only=python is not None)
    if absent is not None:
        return Checkup(backend.name, False, **known, reason=absent.partition(";")[0], command=backend.install)
    engine = Engine(Process(WORKER, python=python), CallLimit(LIMIT_S))
    try:
        # Started for the CPU, so that a missing CUDA driver does not end the worker: the engine is to name it itself.
        started = engine.start(registered.target, "cpu")
        refusals = {device: dict(reasons) for device, reasons in engine.refusals().refusals.items()}
    except CallFailed as error:
        command = backend.install if error.outcome == "unavailable" else ""
        return Checkup(backend.name, False, **known, reason=str(error).partition("; pip")[0], command=command)
    finally:
        engine.kill()
    known["versions"] = dict(started.versions)
    able = any(not refusal for precisions in refusals.values() for refusal in precisions.values())
    reasons = [refusal for precisions in refusals.values() for refusal in precisions.values() if refusal]
    reason, _, command = (reasons[0] if reasons and not able else "").partition("; ")
    if reason and reason == driver_problem():
        command = REMEDY
    return Checkup(backend.name, able, **known, refusals=refusals, reason=reason, command=command)
