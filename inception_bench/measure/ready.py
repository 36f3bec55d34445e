"""The steps of an engine from its start to the logits that are compared; the same for a cell and for a duet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inception_bench.backends.base import Setup
from inception_bench.backends.registry import find_backend
from inception_bench.measure.engine import Engine, EngineFailed, ask_each
from inception_bench.measure.replies import Attested, FirstCall, Loaded, Logits, Started
from inception_bench.measure.workshop import setup_of
from inception_bench.spec.case import Case


@dataclass(frozen=True)
class Assignment:
    """An engine and what it is to run: the artifact in ``folder``, on the images (N, 3, S, S) in the file ``images``.

    The logits of the first ``count`` images are asked for, or of all with None. With ``rows`` the network's output is
    the maps of every end point instead of the logits.
    """

    engine: Engine
    case: Case
    folder: Path
    images: Path
    count: int | None = None
    rows: bool = False

    @property
    def setup(self) -> Setup:
        return setup_of(self.case, rows=self.rows)


@dataclass(frozen=True)
class Running:
    """The replies of an engine to ``start``, ``load`` and ``first``, once its first call is over."""

    started: Started
    loaded: Loaded
    first: FirstCall


Step = Started | Running | Attested | Logits
Group = Mapping[str, Assignment]


def ready(
    groups: Sequence[Group],
    on_step: Callable[[str, Step], None] = lambda name, step: None,
    before_logits: Callable[[], None] = lambda: None,
    *,
    calls_at_once: bool = False,
) -> dict[str, Logits]:
    """Start engines, load, call for the first time, attest, and ask for logits; returns the logits by engine's name.

    A group holds assignments by the names of their engines. All engines start at the same time. The engines of one
    group load at the same time, and with ``calls_at_once`` also call their networks at the same time; the groups follow
    one another. After each step ``on_step`` is called with the engine's name and the reply, and may raise to end
    everything; ``before_logits`` is called once. Raises EngineFailed, with the outcome ``mislabelled`` where an engine
    does not run as it was asked to.
    """
    started = _start(groups, on_step)
    for group in groups:
        _load(group, started, on_step, calls_at_once)
    for group in groups:
        for name, assignment in group.items():
            _attest(name, assignment, on_step)
    before_logits()
    logits: dict[str, Logits] = {}
    for group in groups:
        logits |= _logits(group, on_step, calls_at_once)
    return logits


def _start(groups: Sequence[Group], on_step: Callable[[str, Step], None]) -> dict[str, Started]:
    """Start all engines at the same time: importing an engine takes seconds, and is not timed."""
    assignments = {name: assignment for group in groups for name, assignment in group.items()}

    def send(name: str, engine: Engine) -> Callable[[], Started]:
        runtime = assignments[name].case.runtime
        return engine.start.later(find_backend(runtime.backend).target, runtime.device)

    started = ask_each(_engines(assignments), send, at_once=True)
    for name, reply in started.items():
        on_step(name, reply)
    return started


def _load(
    group: Group, started: Mapping[str, Started], on_step: Callable[[str, Step], None], calls_at_once: bool
) -> None:
    engines = _engines(group)
    loaded = ask_each(
        engines, lambda name, engine: engine.load.later(group[name].folder, group[name].setup), at_once=True
    )
    first = ask_each(
        engines,
        lambda name, engine: engine.first.later(group[name].images, group[name].case.runtime.batch_size),
        at_once=calls_at_once,
    )
    for name in group:
        on_step(name, Running(started[name], loaded[name], first[name]))


def _attest(name: str, assignment: Assignment, on_step: Callable[[str, Step], None]) -> None:
    if assignment.rows:  # this graph is not the one that is timed, so how it runs says nothing of the cell
        return
    attested = assignment.engine.attest(assignment.setup)
    on_step(name, attested)
    if attested.differences:
        raise EngineFailed(assignment.engine, "mislabelled", "; ".join(attested.differences))


def _logits(group: Group, on_step: Callable[[str, Step], None], calls_at_once: bool) -> dict[str, Logits]:
    def send(name: str, engine: Engine) -> Callable[[], Logits]:
        assignment = group[name]
        return engine.logits.later(assignment.images, assignment.case.runtime.batch_size, assignment.count)

    logits = ask_each(_engines(group), send, at_once=calls_at_once)
    for name, reply in logits.items():
        on_step(name, reply)
    return logits


def _engines(group: Group) -> dict[str, Engine]:
    return {name: assignment.engine for name, assignment in group.items()}
