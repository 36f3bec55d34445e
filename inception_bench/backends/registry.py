"""Every backend that can be asked for by name: those of the built-in table and those of installed packages."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inception_bench.backends.base import Backend, Compiler, Exporter
from inception_bench.errors import EntryPointError, UnknownNameError, UsageError
from inception_bench.machine.cuda import driver_problem
from inception_bench.machine.environment import installed_version

GROUP = "inception_bench.backends"

# The ``module:attribute`` of each backend by name. An entry point may name one backend, or a table such as this one, as
# this package's own entry point does.
BUILT_IN: dict[str, str] = {
    "eager": "inception_bench.backends.eager:BACKEND",
    "eager_channels_last": "inception_bench.backends.eager_channels_last:BACKEND",
    "compile": "inception_bench.backends.compile:BACKEND",
    "torchscript": "inception_bench.backends.torchscript:BACKEND",
    "aot_inductor": "inception_bench.backends.aot_inductor:BACKEND",
    "onnxruntime": "inception_bench.backends.onnxruntime:BACKEND",
    "openvino": "inception_bench.backends.openvino:BACKEND",
    "tensorrt": "inception_bench.backends.tensorrt:BACKEND",
    "tensorrt_rtx": "inception_bench.backends.tensorrt_rtx:BACKEND",
}
# This package's own entry point, as in pyproject.toml; written here too, for where the package is not installed.
OWN = EntryPoint("built_in", f"{__name__}:BUILT_IN", GROUP)


@dataclass(frozen=True)
class Registered:
    """A backend and the ``module:attribute`` by which a worker finds it."""

    target: str
    backend: Backend

    @property
    def exports(self) -> bool:
        return isinstance(self.backend, Exporter)

    @property
    def compiles(self) -> bool:
        return isinstance(self.backend, Compiler)

    @property
    def options(self) -> Mapping[str, tuple[str, ...]]:
        """The backend's own options: their possible values, the default first."""
        return getattr(self.backend, "options", {})

    def source(self) -> str:
        """A hash of the code that builds and compiles.

        It covers the files of the backend's class and of its bases, and the modules in its ``built_with``.
        """
        files = {inspect.getsourcefile(base) for base in type(self.backend).__mro__ if base.__module__ != "builtins"}
        sources = [Path(name).read_bytes() for name in sorted(filter(None, files))]
        for module in getattr(self.backend, "built_with", ()):
            spec = find_spec(module)
            sources.append(Path(spec.origin).read_bytes() if spec is not None and spec.origin else b"")
        return hashlib.sha256(b"\0".join(sources)).hexdigest()

    def graph_identity(self) -> dict[str, Any]:
        """What, beside the network, decides an exported artifact: the code that builds it, and its packages' versions.

        Backends that share a graph have the same identity where they inherit the same ``build``.
        """
        if not hasattr(self.backend, "graph"):
            return {"backend": self.backend.name, "source": self.source(), "versions": self.versions()}
        owner = next(base for base in type(self.backend).__mro__ if "build" in vars(base))
        source = Path(inspect.getsourcefile(owner) or "").read_bytes()
        versions = {name: installed_version(name) for name in getattr(self.backend, "build_distributions", ())}
        built_by = f"{owner.__module__}:{owner.__qualname__}"
        return {"built_by": built_by, "source": hashlib.sha256(source).hexdigest(), "versions": versions}

    def versions(self) -> dict[str, str]:
        """The installed version of every package that the backend's artifact depends on."""
        return {name: installed_version(name) for name in self.backend.distributions}

    def missing(self, *, building_only: bool = False) -> str | None:
        """Which modules the backend lacks here, with the command that installs them; None where it lacks none.

        ``building_only`` is for an engine in another interpreter: then only what the export needs must be in this one.
        """
        own = () if building_only else self.backend.modules
        needed = [*own, *getattr(self.backend, "build_modules", ())]
        absent = [module for module in dict.fromkeys(needed) if find_spec(module) is None]
        if not absent:
            return None
        return f"{', '.join(absent)} is not installed; {self.backend.install}"

    def unsupported(self, device: str, precision: str) -> str | None:
        """Why the backend has no such device or precision on any machine; None where it has them on some machine."""
        known = self.backend.precisions
        if device not in known:
            here = driver_problem() if "cuda" in known else None
            alone = f"{self.backend.name} runs on {' and '.join(known)} only; ask for that device"
            return f"{here}; {alone}" if here else alone
        if precision not in known[device]:
            return f"{self.backend.name} has no {precision} on {device}; it has {', '.join(known[device])}"
        return None


@cache
def backends() -> dict[str, Registered]:
    """Every known backend by name, built-ins first. Imports the backends' files, but no engine."""
    registered: dict[str, Registered] = {}
    for point in dict.fromkeys((OWN, *entry_points(group=GROUP))):
        try:
            declared = resolve(point.value)
        except (ImportError, AttributeError) as error:
            raise EntryPointError(point, error) from None
        targets = declared if isinstance(declared, Mapping) else {point.name: point.value}
        for name, target in targets.items():
            # One target under two entry points is no conflict: an older installation of this package, which the
            # entry points may still describe, named its backends one by one.
            if name in registered and registered[name].target != target:
                raise UsageError(f"backend {name!r} of entry point {point.value!r} exists already; rename it")
            registered.setdefault(name, Registered(target, resolve(target)))
    return registered


def resolve(target: str) -> Any:
    """The object that ``module:attribute`` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def find_backend(name: str) -> Registered:
    """The backend ``name``. Raises UnknownNameError, which tells the known names and the nearest of them."""
    if name not in backends():
        raise UnknownNameError("backend", name, backends())
    return backends()[name]
