"""What decides what is built for a case: the parts of an artifact's key."""

from __future__ import annotations

from typing import Any

from inception_bench.machine.cuda import device_identity
from inception_bench.machine.environment import installed_version
from inception_bench.machine.processor import processor
from inception_bench.models.public import find_table
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import PACKAGE, Artifact, source_hash

# All code that decides what a network computes and what it is shown.
MODEL_SOURCES = ("models/**/*.py", "data/photographs.py", "data/maps.py", "builder.py")


def network_fields(spec: NetworkSpec) -> dict[str, Any]:
    """The network as a builder is told it."""
    return {
        "address": spec.address,
        "width_mult": spec.width_mult,
        "num_classes": spec.num_classes,
        "input_size": spec.input_size,
    }


def network(spec: NetworkSpec) -> dict[str, Any]:
    """The network and the code that makes it."""
    return {
        **network_fields(spec),
        "model_source": source_hash(PACKAGE, *MODEL_SOURCES),
        "table": repr(find_table(spec.address)),
    }


def reference_parts(spec: NetworkSpec, weights: Artifact) -> dict[str, Any]:
    """What decides an answer that others are compared with."""
    return {**network(spec), "weights": weights.digest, "versions": reference_versions()}


def reference_versions() -> dict[str, str]:
    """The packages that decide weights and the reference's answer."""
    return {name: installed_version(name) for name in ("torch", "scikit-learn", "pillow")}


def hardware(runtime: Runtime) -> dict[str, Any]:
    """What code that is compiled for the runtime's device depends on: the processor, and on CUDA the GPU's kind.

    Not where the GPU is plugged in: two of a kind run each other's code. Asked without a context on the device.
    """
    if runtime.device != "cuda":
        return processor()
    found = device_identity()
    gpu = found and {name: found[name] for name in ("name", "capability")}
    return {**processor(), "gpu": gpu}
