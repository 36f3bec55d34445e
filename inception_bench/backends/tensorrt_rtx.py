"""TensorRT-RTX: a plan is built without a GPU, for a compute capability; the GPU that loads it compiles the rest."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends import onnx_graph
from inception_bench.backends.base import Setup
from inception_bench.backends.tensorrt_plan import (
    FACTS,
    PLAN,
    build_plan,
    last_words,
    listener,
    make,
    network_flags,
    plan_convolutions,
)
from inception_bench.backends.tensorrt_session import TensorRtSession, open_plan
from inception_bench.machine.cuda import device_identity, driver_problem
from inception_bench.processes.service import Unavailable

# "current" builds for the GPU of this machine, "default" for all compute capabilities of the engine's own default.
TARGETS = ("default", "current", "sm75", "sm80", "sm86", "sm89", "sm120", "sm121")


class TensorRtRtx(onnx_graph.OnnxExport):
    """The backend ``tensorrt_rtx``."""

    name = "tensorrt_rtx"
    modules = ("tensorrt_rtx_bindings",)
    distributions = ("tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu13-libs")
    install = "pip install tensorrt-rtx-cu13-libs tensorrt-rtx-cu13-bindings"
    precisions = {"cuda": ("fp32", "tf32", "bf16", "fp16")}  # noqa: RUF012 - a table
    options = {"target": TARGETS, "cuda_graph": ("off", "on"), "batch": ("fixed", "dynamic")}  # noqa: RUF012
    builds_without_device = True

    built_with = ("inception_bench.backends.tensorrt_plan",)

    def refuses(self, device: str, precision: str) -> str | None:
        return driver_problem() or refused_by_trial()

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None:
        target = setup.options.get("target", TARGETS[0])
        capability = None if target == TARGETS[0] else target.upper()
        plan = build_plan(_engine(), graph / onnx_graph.FILE, setup, capability)
        (folder / PLAN).write_bytes(plan)
        (folder / FACTS).write_text(json.dumps(plan_convolutions(plan)))

    def load(self, folder: Path, setup: Setup) -> Any:
        return TensorRtSession(_engine(), folder, setup, Counter(json.loads((folder / FACTS).read_text())))


@cache
def refused_by_trial() -> str | None:
    """Why the engine does not run on the GPU of this machine, or None: it is made to build and load one convolution.

    The engine builds for any of its targets without a GPU, so only loading shows that the GPU is none of them (Hopper
    is none). A convolution takes a tenth of a second, where a network and its reference take minutes.
    """
    trt, words = _engine(), list[str]()
    logger = listener(trt, words)
    try:
        plan = one_convolution(trt, logger, words)
        open_plan(trt, make(trt.Runtime, logger, words), plan, words)
    except Unavailable as reason:
        gpu = device_identity() or {"name": "no GPU", "capability": "unknown"}
        return f"{reason} ({gpu['name']}, compute capability {gpu['capability']})"
    return None


def one_convolution(trt: Any, logger: Any, words: list[str]) -> bytes:
    """A plan of a 3x3 convolution over 8x8 pixels. Raises Unavailable, quoting the engine's last messages."""
    builder = make(trt.Builder, logger, words)
    network = builder.create_network(network_flags(trt))
    image = network.add_input("image", trt.float32, (1, 1, 8, 8))
    filters = np.ones((1, 1, 3, 3), np.float32)
    convolution = network.add_convolution_nd(image, 1, (3, 3), trt.Weights(filters), trt.Weights())
    network.mark_output(convolution.get_output(0))
    plan = builder.build_serialized_network(network, builder.create_builder_config())
    if plan is None:
        raise Unavailable(f"the engine does not build a convolution; {last_words(words)}")
    return bytes(plan)


def _engine() -> Any:
    """The engine's module: its wheels name it ``tensorrt_rtx_bindings``, its meta package ``tensorrt_rtx``."""
    return import_module("tensorrt_rtx" if find_spec("tensorrt_rtx") else "tensorrt_rtx_bindings")


BACKEND = TensorRtRtx()
