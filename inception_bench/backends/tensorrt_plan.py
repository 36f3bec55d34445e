"""Building a TensorRT plan from an ONNX graph, and reading from the plan in which precision its convolutions compute.

A plan is TensorRT's compiled network, as bytes. The same code serves TensorRT 10, TensorRT 11 and TensorRT-RTX; what
8.6 needs beside it is in ``_for_version_8``. ``trt`` is the engine's Python module, which the backend's own file
imports. Sources: NVIDIA's API reference and migration guides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inception_bench.backends.base import UNKNOWN, Setup
from inception_bench.backends.timings import keep_timings, use_timings
from inception_bench.processes.service import Unavailable

PLAN = "network.plan"
FACTS = "facts.json"
TYPE_NAMES = {
    "float": "fp32", "fp32": "fp32", "half": "fp16", "fp16": "fp16", "bf16": "bf16", "bfloat16": "bf16", "int8": "int8",
    "fp8": "fp8", "fp4": "fp4", "int4": "int4", "int32": "int32", "int64": "int64",
}  # fmt: skip


class PlanError(RuntimeError):
    """The engine could not parse the graph or build a plan from it; the text quotes the engine's messages."""


def major(trt: Any) -> int:
    """The engine's major version."""
    return int(trt.__version__.partition(".")[0])


def is_version_8(trt: Any) -> bool:
    """Whether this is TensorRT 8, which has no strongly typed networks. TensorRT-RTX numbers its versions otherwise."""
    return major(trt) == 8 and not hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")


def build_plan(
    trt: Any, graph: Path, setup: Setup, compute_capability: str | None = None, timings: Path | None = None
) -> bytes:
    """Parse the file ``graph`` and build a plan for the setup's precision and batch. Raises PlanError.

    The types that the graph gives its tensors are kept (the network is strongly typed); binary32 may be rounded to TF32
    only where tf32 is asked. ``compute_capability`` names the GPU to build for (``SM89``), for engines that can build
    without having it. ``timings`` is a file that keeps how fast each kernel was here, so that the next build has fewer
    kernels to time.
    """
    words: list[str] = []
    logger = listener(trt, words)
    builder = make(trt.Builder, logger, words)
    network = builder.create_network(network_flags(trt))
    parser = trt.OnnxParser(network, logger)
    understood = parser.parse(graph.read_bytes())
    if not understood or not network.num_inputs:  # bytes that are no graph give an empty network
        complaints = [str(parser.get_error(place)) for place in range(parser.num_errors)]
        raise PlanError(f"the engine cannot read {graph.name}: {'; '.join(complaints) or 'it holds no network'}")
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the inspector then names types and tactics
    if setup.precision != "tf32":
        config.clear_flag(trt.BuilderFlag.TF32)  # the engine sets it by default
    else:
        config.set_flag(trt.BuilderFlag.TF32)
    if is_version_8(trt):
        _for_version_8(trt, network, config, setup.precision)
    if compute_capability is not None:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, compute_capability), 0)
    _add_profile(builder, network, config, setup.batch_size)
    if timings is not None:
        use_timings(config, timings)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise PlanError(f"the engine built nothing; {last_words(words)}")
    if timings is not None:
        keep_timings(config, timings)
    return bytes(plan)


def network_flags(trt: Any) -> int:
    """The flags to create a network with, so that it keeps the types that the graph gives its tensors."""
    flags = trt.NetworkDefinitionCreationFlag
    name = "EXPLICIT_BATCH" if is_version_8(trt) else "STRONGLY_TYPED"
    # Where the flag of that name is gone, all networks are strongly typed.
    return 1 << int(getattr(flags, name)) if hasattr(flags, name) else 0


def _for_version_8(trt: Any, network: Any, config: Any, precision: str) -> None:
    """TensorRT 8 chooses types by itself, so it is allowed fp16 and every convolution is obliged to use it."""
    if precision != "fp16":
        return
    config.set_flag(trt.BuilderFlag.FP16)
    config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)
    for place in range(network.num_layers):
        layer = network.get_layer(place)
        if layer.type == trt.LayerType.CONVOLUTION:
            layer.precision = trt.float16


def _add_profile(builder: Any, network: Any, config: Any, batch_size: int) -> None:
    """Let a graph that takes batches of any size take 1 to ``batch_size`` images, and be fastest at ``batch_size``."""
    image = network.get_input(0)
    shape = list(image.shape)
    if shape[0] >= 0:
        return
    profile = builder.create_optimization_profile()
    profile.set_shape(image.name, [1, *shape[1:]], [batch_size, *shape[1:]], [batch_size, *shape[1:]])
    if config.add_optimization_profile(profile) < 0:
        raise PlanError(f"the engine refused a batch of 1 to {batch_size} images of {shape[1:]}")


def listener(trt: Any, words: list[str]) -> Any:
    """A logger that appends the engine's error messages to ``words``, so that a failure can quote them."""

    class Listener(trt.ILogger):  # type: ignore[misc]  # the engine is known at run time alone
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, text: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                words.append(" ".join(text.split()))

    return Listener()


def last_words(words: Sequence[str]) -> str:
    """The engine's last error messages, in one line."""
    return f"its last words: {'; '.join(words[-3:]) or 'none'}"


def make(factory: Any, logger: Any, words: Sequence[str]) -> Any:
    """A Builder or a Runtime, made by ``factory``, which is that class of the engine's module.

    Raises Unavailable where the engine makes none, as on a GPU that it no longer supports.
    """
    try:
        return factory(logger)
    except (TypeError, RuntimeError) as error:  # what the bindings raise where the engine gave nothing
        raise Unavailable(f"the engine makes no {factory.__name__} here ({error}); {last_words(words)}") from None


# A plan of TensorRT-RTX holds, as text, the operations that are to be compiled on the GPU that loads it.
_OPERATION = re.compile(
    rb'(corrltn|fully_connected)=\{ name="[^"]*" output=\{[^}]*\} input=\{"([^"]*)" "([^"]*)"([^\n]*)'
)
# Marks a matrix product that the engine made from a 1x1 convolution.
_FROM_CONVOLUTION = b"gemm_from_conv"
_TENSOR = re.compile(rb'tensor=\{[^}]*(?:\{[^}]*\}[^{}]*)*?name="([^"]*)"[^\n]*? type=(\w+) \}')


def plan_convolutions(plan: bytes) -> Counter[str]:
    """How many convolutions (``corrltn``) of a TensorRT-RTX plan compute in each precision.

    The precision is that of image and filter, joined by "+" where they differ. Binary32 counts as tf32 where the plan
    says that the compiler may round to it.
    """
    types = {name: TYPE_NAMES.get(word.decode().lower(), word.decode()) for name, word in _TENSOR.findall(plan)}
    if b"\n  tf32=1" in plan:
        types = {name: "tf32" if precision == "fp32" else precision for name, precision in types.items()}
    convolutions: Counter[str] = Counter()
    for operation, image, weights, rest in _OPERATION.findall(plan):
        if operation == b"fully_connected" and _FROM_CONVOLUTION not in rest:
            continue
        convolutions["+".join(sorted({types.get(image, UNKNOWN), types.get(weights, UNKNOWN)}))] += 1
    return convolutions


def effective_precision(convolutions: Mapping[str, int], tf32: bool) -> str:
    """The precision of all convolutions; where they differ, all of theirs joined by "+".

    UNKNOWN stands for the convolutions whose precision could not be read. With ``tf32`` permitted, an engine may leave
    some convolutions in full binary32, and these do not count as a difference.
    """
    names = {name for joined, count in convolutions.items() if count for name in joined.split("+")}
    if tf32 and names & {"tf32", UNKNOWN} and names <= {"fp32", "tf32", UNKNOWN}:
        names -= {"fp32"}
    return "+".join(sorted(names)) or UNKNOWN
