"""What a user asked for, checked and spelled out as cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inception_bench.backends.registry import backends, find_backend
from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.measure.machine import usable_cores
from inception_bench.models.catalogue import INCEPTIONS, NINE, find_table
from inception_bench.models.plan import make_plan
from inception_bench.spec.case import DEVICES, PRECISIONS, Case
from inception_bench.spec.profile import DEFAULT_PROFILE, PROFILES, Profile

NUM_CLASSES = 1000


@dataclass(frozen=True)
class Request:
    """The options as they were written; None where an option was not given."""

    profile: str | None = None
    models: str | None = None
    backends: str | None = None
    device: str | None = None
    precisions: str | None = None
    batch_sizes: str | None = None
    input_sizes: str | None = None
    width_mults: str | None = None
    threads: str | None = None
    require: str | None = None


@dataclass(frozen=True)
class Selection:
    """The cases of a run, in the order in which they are measured."""

    profile: Profile
    cases: tuple[Case, ...]
    required: frozenset[str]


def select(request: Request) -> Selection:
    """Spell a request out. Raises UsageError for the first thing in it that cannot be done."""
    name = request.profile or DEFAULT_PROFILE
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    profile = PROFILES[name]
    device = request.device or DEVICES[0]
    if device not in DEVICES:
        raise UnknownNameError("device", device, DEVICES)
    tables = [find_table(address) for address in _models(_words(request.models, "models") or profile.models)]
    names = _backends(_words(request.backends, "backends") or profile.backends)
    precisions = _words(request.precisions, "precisions") or PRECISIONS[:1]
    for precision in precisions:
        if precision not in PRECISIONS:
            raise UnknownNameError("precision", precision, PRECISIONS)
    batches = _numbers(request.batch_sizes, "batch-sizes", int, "images, at least 1") or profile.batch_sizes
    widths = _numbers(request.width_mults, "width-mults", float, "a share above 0") or (1.0,)
    (threads,) = _numbers(request.threads, "threads", int, "threads, at least 1") or (usable_cores(),)
    sizes = _numbers(request.input_sizes, "input-sizes", int, "pixels, at least 1")
    cases = tuple(
        Case(table.name, table.definition, backend, device, precision, batch, size, width, NUM_CLASSES, threads)
        for table in tables
        for size in sizes or (table.input_size,)
        for width in widths
        for batch in batches
        for backend in names
        for precision in precisions
    )
    for case in cases:  # a size or a width that a network does not take is refused before anything runs
        make_plan(find_table(case.address), input_size=case.input_size, width_mult=case.width_mult)
    required = _words(request.require, "require") or ()
    return Selection(profile, cases, frozenset(find_backend(word).backend.name for word in required))


def _words(text: str | None, option: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise UsageError(f"--inception-{option} is empty; give names with commas between them")
    return words


def _numbers(text: str | None, option: str, read: Callable[[str], float], wanted: str) -> tuple | None:
    words = _words(text, option)
    if words is None:
        return None
    try:
        numbers = tuple(read(word) for word in words)
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number < float("inf") for number in numbers):
        raise UsageError(f"--inception-{option}={text} is not possible; give {wanted}")
    return numbers


def _models(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        found += {"all": list(NINE), "all-definitions": [table.address for table in INCEPTIONS]}.get(word, [word])
    return list(dict.fromkeys(found))


def _backends(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        found += list(backends()) if word == "all" else [find_backend(word).backend.name]
    return list(dict.fromkeys(found))
