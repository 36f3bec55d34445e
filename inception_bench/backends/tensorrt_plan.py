"""Building a TensorRT plan from an ONNX graph, and reading from it what its convolutions compute in.

One path for TensorRT 10 and 11 and for TensorRT-RTX; what 8.6 needs is in ``_for_version_8``. ``trt`` is the
engine's module, imported by the backend's own file. Sources: NVIDIA's API reference and migration guides.
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
    """The engine could not parse the graph or build it; the text has its own words."""


def major(trt: Any) -> int:
    """The engine's major version."""
    return int(trt.__version__.partition(".")[0])


def is_version_8(trt: Any) -> bool:
    """Whether this is TensorRT 8, which knows no strongly typed network (RTX counts versions of its own)."""
    return major(trt) == 8 and not hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")


def build_plan(
    trt: Any, graph: Path, setup: Setup, compute_capability: str | None = None, timings: Path | None = None
) -> bytes:
    """Parse ``graph`` and build it for the setup's precision and batch. Raises PlanError.

    The graph's own types are kept (strongly typed); a weight of binary32 may be rounded to TF32 only
    where tf32 is asked. ``compute_capability`` names a target (``SM89``) for engines that build without one.
    ``timings`` is a file that keeps how fast each kernel was here, so that the next build asks again for less.
    """
    words: list[str] = []
    logger = listener(trt, words)
    builder = make(trt.Builder, logger, words)
    network = builder.create_network(network_flags(trt))
    parser = trt.OnnxParser(network, logger)
    understood = parser.parse(graph.read_bytes())
    if not understood or not network.num_inputs:  # of bytes that are no graph it makes an empty network
        complaints = [str(parser.get_error(place)) for place in range(parser.num_errors)]
        raise PlanError(f"the engine cannot read {graph.name}: {'; '.join(complaints) or 'it holds no network'}")
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the inspector then names types and tactics
    if setup.precision != "tf32":
        config.clear_flag(trt.BuilderFlag.TF32)  # on by default
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
    """What a network is created with, so that it keeps the graph's own types."""
    flags = trt.NetworkDefinitionCreationFlag
    name = "EXPLICIT_BATCH" if is_version_8(trt) else "STRONGLY_TYPED"
    # A version that knows the name no more has no other kind of network.
    return 1 << int(getattr(flags, name)) if hasattr(flags, name) else 0


def _for_version_8(trt: Any, network: Any, config: Any, precision: str) -> None:
    """TensorRT 8 chooses types by itself: permit fp16, and oblige every convolution to it."""
    if precision != "fp16":
        return
    config.set_flag(trt.BuilderFlag.FP16)
    config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)
    for place in range(network.num_layers):
        layer = network.get_layer(place)
        if layer.type == trt.LayerType.CONVOLUTION:
            layer.precision = trt.float16


def _add_profile(builder: Any, network: Any, config: Any, batch_size: int) -> None:
    """For a graph whose batch is open: from one image to ``batch_size``, best at ``batch_size``."""
    image = network.get_input(0)
    shape = list(image.shape)
    if shape[0] >= 0:
        return
    profile = builder.create_optimization_profile()
    profile.set_shape(image.name, [1, *shape[1:]], [batch_size, *shape[1:]], [batch_size, *shape[1:]])
    if config.add_optimization_profile(profile) < 0:
        raise PlanError(f"the engine refused a batch of 1 to {batch_size} images of {shape[1:]}")


def listener(trt: Any, words: list[str]) -> Any:
    """A logger that keeps errors for the reason of a failure."""

    class Listener(trt.ILogger):  # type: ignore[misc]  # the engine is known at run time alone
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, text: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                words.append(" ".join(text.split()))

    return Listener()


def last_words(words: Sequence[str]) -> str:
    """What the engine said at last, in one line."""
    return f"its last words: {'; '.join(words[-3:]) or 'none'}"


def make(kind: Any, logger: Any, words: Sequence[str]) -> Any:
    """A Builder or a Runtime. Raises Unavailable where the engine makes none, as on a GPU that it knows no more."""
    try:
        return kind(logger)
    except (TypeError, RuntimeError) as error:  # the bindings' words for a factory that gave nothing
        raise Unavailable(f"the engine makes no {kind.__name__} here ({error}); {last_words(words)}") from None


# TensorRT-RTX keeps in its plan, as text, the operations that are compiled on the user's GPU.
_OPERATION = re.compile(
    rb'(corrltn|fully_connected)=\{ name="[^"]*" output=\{[^}]*\} input=\{"([^"]*)" "([^"]*)"([^\n]*)'
)
# A convolution by 1x1 that the engine turned into a matrix product says so.
_FROM_CONVOLUTION = b"gemm_from_conv"
_TENSOR = re.compile(rb'tensor=\{[^}]*(?:\{[^}]*\}[^{}]*)*?name="([^"]*)"[^\n]*? type=(\w+) \}')


def plan_convolutions(plan: bytes) -> Counter[str]:
    """What the convolutions (``corrltn``) of a TensorRT-RTX plan compute in: image and filter of each, by their types.

    Binary32 counts as tf32 where the plan says that the compiler may round to it.
    """
    types = {name: TYPE_NAMES.get(kind.decode().lower(), kind.decode()) for name, kind in _TENSOR.findall(plan)}
    if b"\n  tf32=1" in plan:
        types = {name: "tf32" if kind == "fp32" else kind for name, kind in types.items()}
    found: Counter[str] = Counter()
    for kind, image, weights, rest in _OPERATION.findall(plan):
        if kind == b"fully_connected" and _FROM_CONVOLUTION not in rest:
            continue
        found["+".join(sorted({types.get(image, UNKNOWN), types.get(weights, UNKNOWN)}))] += 1
    return found


def effective_precision(found: Mapping[str, int], tf32: bool) -> str:
    """One precision, or all joined where they differ, UNKNOWN among them where some could not be read.

    With TF32 permitted, an engine may leave some in full.
    """
    names = {name for names, count in found.items() if count for name in names.split("+")}
    if tf32 and names & {"tf32", UNKNOWN} and names <= {"fp32", "tf32", UNKNOWN}:
        names -= {"fp32"}
    return "+".join(sorted(names)) or UNKNOWN
