"""The coordinator's side of building: what a case needs, from the cache or the builder process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import inception_bench
from inception_bench.backends.cache import Artifact, ArtifactCache
from inception_bench.backends.registry import find_backend, installed_version
from inception_bench.measure.machine import usable_cores
from inception_bench.measure.process import Process
from inception_bench.models.catalogue import find_table
from inception_bench.spec.case import Case

BUILDER = "inception_bench.builder"


@dataclass(frozen=True)
class Reference:
    """Eager float64's answer: images (8, 3, S, S) on disk, logits (8, classes), spread, mutations' errors."""

    images: Path
    logits: np.ndarray
    spread: float
    mutations: dict[str, float]


@dataclass
class Workshop:
    """Builds what cases need. One builder process serves all, and a new one follows where it dies."""

    cache: ArtifactCache
    limit_s: float
    _builder: Process | None = field(default=None, init=False)

    def weights(self, case: Case) -> Artifact:
        """The case's signal-keeping weights."""
        parts = {
            **_network(case),
            "weights": "signal-keeping",
            "versions": _versions("torch", "scikit-learn", "pillow"),
        }
        return self.cache.get("weights", parts, lambda folder: self._call("weights", folder, **_network_fields(case)))

    def reference(self, case: Case, weights: Artifact) -> Reference:
        """What the case's output is compared with."""
        parts = {**_network(case), "weights": weights.digest, "versions": _versions("torch", "scikit-learn", "pillow")}
        fields = {**_network_fields(case), "weights": str(weights.folder)}
        folder = self.cache.get("reference", parts, lambda folder: self._call("reference", folder, **fields)).folder
        facts = json.loads((folder / "facts.json").read_text())
        return Reference(folder / "images.npy", np.load(folder / "logits.npy"), facts["spread"], facts["mutations"])

    def artifact(self, case: Case, weights: Artifact, reference: Reference) -> Artifact:
        """What the case's backend loads: its own export, or the weights where it exports nothing."""
        registered = find_backend(case.backend)
        if not registered.exports:
            return weights
        parts = {
            **_network(case),
            "weights": weights.digest,
            "backend": case.backend,
            "backend_source": hashlib.sha256(registered.source()).hexdigest(),
            "batch_size": case.batch_size,
            "precision": case.precision,
            "device": case.device,
            "versions": registered.versions(),
        }
        fields = {
            "backend": registered.target,
            "weights": str(weights.folder),
            "images": str(reference.images),
            "batch_size": case.batch_size,
            "precision": case.precision,
        }
        return self.cache.get(case.backend, parts, lambda folder: self._call("artifact", folder, **fields))

    def count(self, case: Case) -> dict[str, Any]:
        """Params and MACs as fvcore and FlopCounterMode count them."""
        return self._ask("count", **_network_fields(case))

    def close(self) -> None:
        """End the builder process."""
        if self._builder is not None:
            self._builder.kill()
            self._builder = None

    def _call(self, op: str, folder: Path, **fields: Any) -> None:
        self._ask(op, folder=str(folder), **fields)

    def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        if self._builder is None or not self._builder.alive:
            self._builder = Process(BUILDER)
            self._builder.call("threads", self.limit_s, threads=usable_cores())
        return self._builder.call(op, self.limit_s, **fields)[0]


def _network_fields(case: Case) -> dict[str, Any]:
    return {
        "address": case.address,
        "width_mult": case.width_mult,
        "num_classes": case.num_classes,
        "input_size": case.input_size,
    }


def _network(case: Case) -> dict[str, Any]:
    return {**_network_fields(case), "model_source": _model_source(), "table": repr(find_table(case.address))}


@cache
def _model_source() -> str:
    """The hash of all code that decides what a network computes and what it is shown."""
    home = Path(inception_bench.__file__).parent
    files = [*sorted((home / "models").glob("*.py")), *sorted((home / "data").glob("*.py")), home / "builder.py"]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _versions(*distributions: str) -> dict[str, str]:
    return {name: installed_version(name) for name in distributions}
