"""A side: one of the two installations that a duet compares, with its interpreter and its copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inception_bench.errors import UsageError
from inception_bench.machine.environment import PACKAGES
from inception_bench.measure.identity import MODEL_SOURCES
from inception_bench.measure.workshop import Workshop
from inception_bench.processes.installation import HOME, Installation
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import Limits
from inception_bench.store.cache import ArtifactCache, default_root, source_hash

# A program that the side's own interpreter runs: it prints its version, its packages and where it finds this package.
_PROBE = """
import importlib.metadata, importlib.util, json, sys
versions = {}
for name in json.loads(sys.argv[1]):
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        continue
spec = importlib.util.find_spec("inception_bench")
print(json.dumps({"python": sys.version.split()[0], "packages": versions, "package": spec and spec.origin}))
"""
_COSTS = """
import json, sys, inception_bench
given = json.loads(sys.argv[1])
costs = inception_bench.complexity(given.pop("address"), **given)
print(json.dumps({"params": costs.params_without_aux, "macs": costs.macs}))
"""
_PROBE_LIMIT_S = 120.0


@dataclass
class Side:
    """``name`` is a or b. ``facts`` are its interpreter, revision, packages and the hash of its sources.

    ``workshop`` builds what its processes load.
    """

    name: str
    facts: dict[str, Any]
    workshop: Workshop
    _costs: dict[str, dict[str, int]] = field(default_factory=dict, init=False)

    def costs(self, network: NetworkSpec) -> dict[str, int]:
        """Params and MACs by the side's own tables. Raises UsageError where the side has no such network."""
        fields = {"address": network.address, "input_size": network.input_size, "width_mult": network.width_mult}
        given = json.dumps({**fields, "num_classes": network.num_classes})
        if given not in self._costs:
            self._costs[given] = _ask(self.name, self.workshop.installation, _COSTS, given)
        return self._costs[given]

    def close(self) -> None:
        """End the process that builds."""
        self.workshop.close()


def open_side(name: str, given: str | None, tree: Path | None = None, revision: str | None = None) -> Side:
    """Open the side of an interpreter or environment (None: the running interpreter).

    Its package is the one in the folder ``tree``. Without a tree, it is the package that the interpreter has installed,
    else a copy of the running one. Raises UsageError.
    """
    python = _interpreter(name, given)
    home = tree
    if home is None and python == sys.executable:
        home = HOME
    if home is None and _ask(name, Installation(python, None), _PROBE, "[]")["package"] is None:
        home = _copy_alone()
    probed = _ask(name, Installation(python, home), _PROBE, json.dumps(PACKAGES))
    if probed["package"] is None:
        raise UsageError(f"side {name}: {python} finds no inception_bench")
    package = Path(probed.pop("package")).parent
    source = source_hash(package)
    # The interpreter as the user gave it: results are published, and a whole path would tell of the user's machine.
    facts = {"interpreter": given or "this interpreter", "revision": revision, **probed, "source_hash": source}
    facts["model_source"] = source_hash(package, *MODEL_SOURCES)
    installation = Installation(python, home)
    if (python, home) != (sys.executable, HOME):
        identity = {"python": probed["python"], "packages": probed["packages"], "source_hash": source}
        installation = Installation(python, home, {"installation": identity})
    return Side(name, facts, Workshop(ArtifactCache(default_root()), Limits().build, installation=installation))


def _copy_alone() -> Path:
    """A folder with a copy of the running package and nothing else.

    The running package may lie among other installed packages. With that folder on its path, another interpreter would
    import engines that are not its own.
    """
    package = HOME / "inception_bench"

    def copy(folder: Path) -> None:
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))

    return ArtifactCache(default_root()).get("package", {"source": source_hash(package)}, copy).folder


def _interpreter(name: str, given: str | None) -> str:
    """The absolute path of a Python, from a program or the folder of an environment; symbolic links stay."""
    if given is None:
        return sys.executable
    path = Path(given)
    program = shutil.which(str(path / "bin" / "python") if path.is_dir() else given)
    if program is None:
        raise UsageError(f"--{name} {given}: no Python there; give an interpreter, or the folder of an environment")
    return os.path.abspath(program)


def _ask(name: str, installation: Installation, program: str, argument: str) -> dict[str, Any]:
    """What a short program prints when it runs in an installation, read as JSON."""
    done = subprocess.run(
        installation.command(program, argument), env=installation.environment({}),
        capture_output=True, text=True, check=False, timeout=_PROBE_LIMIT_S,
    )  # fmt: skip
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UsageError(f"side {name} ({installation.python}) cannot be used: {words[-1]}")
    facts: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return facts
