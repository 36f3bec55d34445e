"""Every runtime that can be asked for by name: the built-in table, and installed packages' own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path

from inception_bench.backends.base import Backend, Exporter
from inception_bench.errors import UnknownNameError, UsageError

GROUP = "inception_bench.backends"

# The entry points of this package name these same objects; a test keeps the two lists equal.
BUILT_IN: dict[str, str] = {
    "eager": "inception_bench.backends.eager:BACKEND",
    "torchscript": "inception_bench.backends.torchscript:BACKEND",
    "onnxruntime": "inception_bench.backends.onnxruntime:BACKEND",
}


@dataclass(frozen=True)
class Registered:
    """A backend and the ``module:attribute`` by which a worker finds it."""

    target: str
    backend: Backend

    @property
    def exports(self) -> bool:
        return isinstance(self.backend, Exporter)

    def source(self) -> bytes:
        """The code of the backend's own file, part of an artifact's key."""
        spec = find_spec(self.target.partition(":")[0])
        return Path(spec.origin).read_bytes() if spec is not None and spec.origin else b""

    def versions(self) -> dict[str, str]:
        """The installed version of every package that the backend's artifact depends on."""
        return {name: installed_version(name) for name in self.backend.distributions}

    def missing(self) -> str | None:
        """Why the backend cannot run here, with the command that would make it ready; else None."""
        needed = [*self.backend.modules, *getattr(self.backend, "build_modules", ())]
        absent = [module for module in dict.fromkeys(needed) if find_spec(module) is None]
        if not absent:
            return None
        return f"{', '.join(absent)} is not installed; {self.backend.install}"


def installed_version(distribution: str) -> str:
    """The version of an installed package, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


@cache
def backends() -> dict[str, Registered]:
    """Every known backend by name, built-ins first. Imports their files, no engine."""
    targets = dict(BUILT_IN)
    for point in entry_points(group=GROUP):
        if point.dist is not None and point.dist.name == "inception-bench":
            continue  # the table above already holds the built-ins, installed or not
        if point.name in targets:
            raise UsageError(f"backend {point.name!r} of entry point {point.value!r} exists already; rename it")
        targets[point.name] = point.value
    return {name: Registered(target, resolve(target)) for name, target in targets.items()}


def resolve(target: str) -> Backend:
    """The object that ``module:attribute`` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def find_backend(name: str) -> Registered:
    """The backend ``name``; raises UnknownNameError with the known names and the nearest."""
    if name not in backends():
        raise UnknownNameError("backend", name, backends())
    return backends()[name]
