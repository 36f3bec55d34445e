"""Everything on which an artifact depends. These parts make the artifact's key in the cache."""

from __future__ import annotations

from typing import Any

from inception_bench.machine.cuda import device_identity
from inception_bench.machine.environment import installed_version
from inception_bench.machine.processor import processor
from inception_bench.models.public import find_table
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import PACKAGE, Artifact, source_hash

# All code that decides what a network computes and which images it gets.
MODEL_SOURCES = ("models/**/*.py", "data/photographs.py", "data/maps.py", "builder.py")


def network_fields(spec: NetworkSpec) -> dict[str, Any]:
    """The fields by which a message to the builder names the network."""
    return {
        "address": spec.address,
        "width_mult": spec.width_mult,
        "num_classes": spec.num_classes,
        "input_size": spec.input_size,
    }


def network(spec: NetworkSpec) -> dict[str, Any]:
    """The network, its table, and a hash of the code that makes it."""
    return {
        **network_fields(spec),
        "model_source": source_hash(PACKAGE, *MODEL_SOURCES),
        "table": repr(find_table(spec.address)),
    }


def reference_parts(spec: NetworkSpec, weights: Artifact) -> dict[str, Any]:
    """What decides the reference's output, with which the output of other runtimes is compared."""
    return {**network(spec), "weights": weights.digest, "versions": reference_versions()}


def reference_versions() -> dict[str, str]:
    """The versions of the packages on which the weights and the reference's output depend."""
    return {name: installed_version(name) for name in ("torch", "scikit-learn", "pillow")}


def hardware(runtime: Runtime) -> dict[str, Any]:
    """What code that is compiled for the runtime's device depends on: the processor, and on CUDA the model of the GPU.

    The GPU's PCI address is left out, as two GPUs of one model run each other's code. Makes no context on the GPU.
    """
    if runtime.device != "cuda":
        return processor()
    identity = device_identity()
    gpu = identity and {name: identity[name] for name in ("name", "capability")}
    return {**processor(), "gpu": gpu}
