"""A case: one cell of the benchmark, everything that decides what is run."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from inception_bench.spec.network import SIGNAL_KEEPING, TRAINED, NetworkSpec
from inception_bench.spec.runtime import REFERENCE_BACKEND, Runtime

_OF_RUNTIME = frozenset(field.name for field in fields(Runtime))


@dataclass(frozen=True)
class Case:
    """One network on one runtime."""

    network: NetworkSpec
    runtime: Runtime

    @property
    def id(self) -> str:
        """A readable name, unique within a run: ``googlenet-onnxruntime-cpu-fp32-b1-224px``."""
        network, runtime = self.network, self.runtime
        parts = [
            network.address,
            runtime.text,
            runtime.device,
            runtime.precision,
            f"b{runtime.batch_size}",
            f"{network.input_size}px",
        ]
        if network.width_mult != 1:
            parts.append(f"w{network.width_mult:g}")
        if network.weights != SIGNAL_KEEPING:
            parts.append(network.weights.removeprefix(TRAINED).replace(":", "-s").replace("/", "_"))
        return "-".join([*parts, network.data.replace("/", "_")] if network.data else parts)

    @property
    def key(self) -> str:
        """A text that equal cases share in every run: the case's JSON with sorted names."""
        return json.dumps(self.to_json(), sort_keys=True)

    @property
    def training_id(self) -> str:
        """``inception_v3-80px-w0.25-quick-s0-digits``: the network, its scale, recipe, seed and data.

        A step in another precision than fp32 names it at the end.
        """
        network, precision = self.network, self.runtime.precision
        recipe, seed = network.trained_by or ("", 0)
        scale = f"{network.input_size}px-w{network.width_mult:g}"
        name = f"{network.address}-{scale}-{recipe}-s{seed}-{network.data.replace('/', '_')}"
        return name if precision == "fp32" else f"{name}-{precision}"

    def reference(self) -> Case:
        """The cell that this one is compared with, round by round: eager, fp32, all else equal."""
        return self.with_runtime(backend=REFERENCE_BACKEND, precision="fp32", options={})

    def with_network(self, **changes: Any) -> Case:
        """This case with some of the network's fields changed."""
        return replace(self, network=replace(self.network, **changes))

    def with_runtime(self, **changes: Any) -> Case:
        """This case with some of the runtime's fields changed."""
        return replace(self, runtime=replace(self.runtime, **changes))

    def to_json(self) -> dict[str, Any]:
        """All fields on one level, ``options`` as JSON in a string.

        Records and keys hold this, and processes of other revisions read it: names and order have to stay.
        """
        network, runtime = self.network, self.runtime
        return {
            "model": network.model,
            "definition": network.definition,
            "backend": runtime.backend,
            "device": runtime.device,
            "precision": runtime.precision,
            "batch_size": runtime.batch_size,
            "input_size": network.input_size,
            "width_mult": network.width_mult,
            "num_classes": network.num_classes,
            "threads": runtime.threads,
            "options": json.dumps(dict(runtime.options), sort_keys=True),
            "weights": network.weights,
            "data": network.data,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Case:
        """The case that ``to_json`` gave. Raises TypeError for a field that is missing or not known."""
        network = {name: value for name, value in data.items() if name not in _OF_RUNTIME}
        runtime = {name: value for name, value in data.items() if name in _OF_RUNTIME}
        if "options" in runtime:
            runtime["options"] = json.loads(runtime["options"])
        return cls(NetworkSpec(**network), Runtime(**runtime))
