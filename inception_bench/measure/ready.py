"""How an engine comes from its start to the answers that are compared: the same steps for a cell and for a duet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inception_bench.backends.base import Setup
from inception_bench.backends.registry import find_backend
from inception_bench.measure.answers import Attested, FirstCall, Loaded, Logits, Started
from inception_bench.measure.engine import Engine, EngineFailed, ask_each
from inception_bench.measure.workshop import setup_of
from inception_bench.spec.case import Case


@dataclass(frozen=True)
class Assignment:
    """An engine and what it is to run: the artifact in ``folder``, on the file ``images`` (N, 3, S, S).

    It answers ``count`` of the images, or all. With ``rows`` it answers with the maps of every end point.
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
    """What an engine answered until its first call was over."""

    started: Started
    loaded: Loaded
    first: FirstCall


Step = Started | Running | Attested | Logits
Group = Mapping[str, Assignment]


def ready(
    groups: Sequence[Group],
    told: Callable[[str, Step], None] = lambda name, step: None,
    before_logits: Callable[[], None] = lambda: None,
    *,
    calls_at_once: bool = False,
) -> dict[str, Logits]:
    """Start, load, first call, attestation, logits; the last by the engines' names.

    All engines start at once. Those of a group load at once, and call their networks at once with ``calls_at_once``;
    the groups follow one another. ``told`` hears of each step with the engine's name, and may raise to end it all;
    ``before_logits`` is called once. Raises EngineFailed, with the outcome ``mislabelled`` where an engine does not run
    as it was asked to.
    """
    started = _start(groups, told)
    for group in groups:
        _load(group, started, told, calls_at_once)
    for group in groups:
        for name, assigned in group.items():
            _attest(name, assigned, told)
    before_logits()
    answered: dict[str, Logits] = {}
    for group in groups:
        answered |= _answer(group, told, calls_at_once)
    return answered


def _start(groups: Sequence[Group], told: Callable[[str, Step], None]) -> dict[str, Started]:
    """Importing an engine takes seconds and is not timed."""
    assigned = {name: each for group in groups for name, each in group.items()}

    def send(name: str, engine: Engine) -> Callable[[], Started]:
        runtime = assigned[name].case.runtime
        return engine.start.later(find_backend(runtime.backend).target, runtime.device)

    started = ask_each(_engines(assigned), send, at_once=True)
    for name, answer in started.items():
        told(name, answer)
    return started


def _load(group: Group, started: Mapping[str, Started], told: Callable[[str, Step], None], calls_at_once: bool) -> None:
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
        told(name, Running(started[name], loaded[name], first[name]))


def _attest(name: str, assigned: Assignment, told: Callable[[str, Step], None]) -> None:
    if assigned.rows:  # another graph than the one that is timed: how it runs says nothing of the cell
        return
    attested = assigned.engine.attest(assigned.setup)
    told(name, attested)
    if attested.differences:
        raise EngineFailed(assigned.engine, "mislabelled", "; ".join(attested.differences))


def _answer(group: Group, told: Callable[[str, Step], None], calls_at_once: bool) -> dict[str, Logits]:
    def send(name: str, engine: Engine) -> Callable[[], Logits]:
        each = group[name]
        return engine.logits.later(each.images, each.case.runtime.batch_size, each.count)

    answered = ask_each(_engines(group), send, at_once=calls_at_once)
    for name, answer in answered.items():
        told(name, answer)
    return answered


def _engines(group: Group) -> dict[str, Engine]:
    return {name: assigned.engine for name, assigned in group.items()}
