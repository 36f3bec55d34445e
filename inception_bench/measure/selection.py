"""What a user asked for, checked, and turned into the cases that a run measures."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from inception_bench.backends.registry import backends, find_backend
from inception_bench.data.sets import count_classes
from inception_bench.errors import OptionError, UnknownNameError, UsageError
from inception_bench.machine.cuda import driver_problem
from inception_bench.machine.environment import usable_cores
from inception_bench.measure.training_cases import (
    Scales,
    check_data,
    find_weights,
    step_cases,
    training_cases,
)
from inception_bench.models.plan import make_plan
from inception_bench.models.public import INCEPTIONS, NINE, find_table
from inception_bench.models.table import Table
from inception_bench.spec.case import Case
from inception_bench.spec.network import SIGNAL_KEEPING, NetworkSpec
from inception_bench.spec.profile import DEFAULT_PROFILE, PROFILES, Profile
from inception_bench.spec.runtime import DEVICES, PRECISIONS, REFERENCE_BACKEND, Runtime

NUM_CLASSES = 1000
Known = TypeVar("Known")
Number = TypeVar("Number", bound=float)


@dataclass(frozen=True)
class Request:
    """The options as the user wrote them; None where an option was not given.

    With ``plan_only`` nothing is going to run, so that the device need not be in this machine.
    """

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
    python: str | None = None
    data: str | None = None
    weights: str | None = None
    resume: bool = False
    plan_only: bool = False


@dataclass(frozen=True)
class Selection:
    """Everything that a run measures, in the order in which it is measured.

    ``cases`` are the cells of untrained or given networks. ``trainings`` are the networks to train, as cases of eager
    with the batch size of their recipe; ``steps`` are the training steps to time, and ``trained`` the cells of the
    trained networks. All are on ``device``. ``required`` are the backends that must not be missing, ``pythons`` the
    interpreters by backend, where it is not this one.
    """

    profile: Profile
    device: str
    cases: tuple[Case, ...]
    trainings: tuple[Case, ...]
    steps: tuple[Case, ...]
    trained: tuple[Case, ...]
    required: frozenset[str]
    pythons: Mapping[str, str]
    resume: bool


def find_profile(name: str) -> Profile:
    """The profile of a name. Raises UsageError, which lists the known ones."""
    return _known(name, "profile", PROFILES)


def select(request: Request) -> Selection:
    """Turn a request into cases. Raises UsageError for the first option in it that cannot be fulfilled."""
    profile = find_profile(request.profile or DEFAULT_PROFILE)
    tables = [find_table(address) for address in _models(_words(request.models, "models") or profile.models)]
    chosen = _backends(_words(request.backends, "backends") or profile.backends)
    precisions = _words(request.precisions, "precisions") or profile.precisions
    for precision in precisions:
        _known(precision, "precision", {known: known for known in PRECISIONS})
    batches = _numbers(request.batch_sizes, "batch_sizes", int, "images, at least 1") or profile.batch_sizes
    scales = Scales(
        _numbers(request.input_sizes, "input_sizes", int, "pixels, at least 1") or (),
        _numbers(request.width_mults, "width_mults", float, "a share above 0") or (),
    )
    machine = _device(request.device or profile.device, request.plan_only), _threads(request.threads)
    data = check_data(request.data or profile.data)
    variants = [(name, options, precision) for name, options in chosen for precision in precisions]
    learning = _learning(request, profile, tables)
    trainings = training_cases(learning, profile, data, scales, *machine)
    return Selection(
        profile,
        machine[0],
        cells(plain_cases(request, tables, scales, *machine), variants, batches),
        trainings,
        step_cases(trainings, learning, profile, precisions),
        cells(trainings, variants, batches[:1]),
        frozenset(find_backend(word).backend.name for word in _words(request.require, "require") or ()),
        read_pythons(request.python),
        request.resume,
    )


def plain_cases(
    request: Request, tables: Sequence[Table], scales: Scales, device: str, threads: int
) -> tuple[Case, ...]:
    """A case of eager for each network and scale, with the given weights or, without any, signal-keeping weights."""
    weights, data, classes = SIGNAL_KEEPING, "", NUM_CLASSES
    if request.weights is not None:
        weights = find_weights(request.weights, tables)
        if request.data is not None:
            data, classes = request.data, count_classes(request.data)
    cases = tuple(
        Case(
            NetworkSpec(table.name, table.definition, size, width, classes, weights, data),
            Runtime(REFERENCE_BACKEND, device, "fp32", 1, threads),
        )
        for table in tables
        for size in scales.input_sizes or (table.input_size,)
        for width in scales.width_mults or (1.0,)
    )
    for case in cases:  # make_plan raises for a size or width that a network does not take, before anything runs
        network = case.network
        make_plan(find_table(network.address), input_size=network.input_size, width_mult=network.width_mult)
    return cases


def cells(
    cases: Sequence[Case], variants: Sequence[tuple[str, Mapping[str, str], str]], batches: Sequence[int]
) -> tuple[Case, ...]:
    """Each case at each batch size in each of ``variants``: a backend's name, its options, and a precision."""
    return tuple(
        case.with_runtime(backend=name, options=options, precision=precision, batch_size=batch)
        for case in cases
        for batch in batches
        for name, options, precision in variants
    )


def _learning(request: Request, profile: Profile, tables: Sequence[Table]) -> Sequence[Table]:
    """The networks to train: none where weights are given, else the networks that were named, else the profile's."""
    if request.weights is not None:
        return ()
    if request.models is not None or profile.trained is None:
        return tables
    return [find_table(name) for name in profile.trained]


def _known(name: str, kind: str, table: Mapping[str, Known]) -> Known:
    if name not in table:
        raise UnknownNameError(kind, name, table)
    return table[name]


def _device(name: str, plan_only: bool) -> str:
    device = _known(name, "device", {known: known for known in DEVICES})
    problem = driver_problem() if device == "cuda" and not plan_only else None
    if problem is not None:
        raise OptionError(lambda named: f"{named('device')}=cuda: {problem}; no cell could run")
    return device


def _threads(text: str | None) -> int:
    numbers = _numbers(text, "threads", int, "one number of threads, at least 1") or (usable_cores(),)
    if len(numbers) > 1:
        raise OptionError(
            lambda named: f"{named('threads')}={text} is not possible; give one number of threads, at least 1"
        )
    return numbers[0]


def _words(text: str | None, field: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise OptionError(lambda named: f"{named(field)} is empty; give names with commas between them")
    return words


def _numbers(text: str | None, field: str, read: Callable[[str], Number], wanted: str) -> tuple[Number, ...] | None:
    words = _words(text, field)
    if words is None:
        return None
    try:
        numbers = tuple(read(word) for word in words)
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number < float("inf") for number in numbers):
        raise OptionError(lambda named: f"{named(field)}={text} is not possible; give {wanted}")
    return numbers


def _models(words: Sequence[str]) -> list[str]:
    addresses: list[str] = []
    for word in words:
        addresses += {"all": list(NINE), "all-definitions": [table.address for table in INCEPTIONS]}.get(word, [word])
    return list(dict.fromkeys(addresses))


def _backends(words: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Names with their options, from words such as ``compile`` or ``compile[mode=max-autotune]``.

    Several options have ``;`` between them.
    """
    chosen: list[tuple[str, dict[str, str]]] = []
    for word in words:
        name, bracket, rest = word.partition("[")
        if word == "all":
            chosen += [(known, {}) for known in backends()]
        elif bracket and not rest.endswith("]"):
            raise UsageError(f"backend {word!r} has no closing bracket; write {name}[OPTION=VALUE;OPTION=VALUE]")
        else:
            chosen.append((name, read_options(name, rest.removesuffix("]").split(";") if rest else [])))
    return [choice for place, choice in enumerate(chosen) if choice not in chosen[:place]]


def read_options(name: str, words: Sequence[str]) -> dict[str, str]:
    """The options of the backend ``name`` from words ``OPTION=VALUE``, checked; default values are left out."""
    known = find_backend(name).options
    options = {}
    for word in words:
        option, _, value = word.strip().partition("=")
        if option not in known:
            raise UnknownNameError(f"option of {name}", option, known)
        if value not in known[option]:
            raise UnknownNameError(f"value of {name}'s {option}", value, known[option])
        if value != known[option][0]:
            options[option] = value
    return options


def read_pythons(text: str | None) -> dict[str, str]:
    """The interpreter of each named backend's workers, from words ``BACKEND=PYTHON``, checked."""
    pythons = {}
    for word in _words(text, "python") or ():
        name, sign, python = word.partition("=")
        if not sign:
            raise _python_error(word, "write BACKEND=PYTHON, such as tensorrt=/opt/py310/bin/python")
        path = shutil.which(python)
        if path is None:
            raise _python_error(word, f"{python!r} is no program that can be run")
        pythons[find_backend(name).backend.name] = path
    return pythons


def _python_error(word: str, remedy: str) -> OptionError:
    return OptionError(lambda named: f"{named('python')}={word}: {remedy}")
