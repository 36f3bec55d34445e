"""TensorRT-RTX: builds without a GPU, for a compute capability; the rest is compiled on the GPU that loads it."""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inception_bench.backends import onnx_graph
from inception_bench.backends.base import Setup
from inception_bench.backends.cuda import driver_problem
from inception_bench.backends.tensorrt_plan import FACTS, PLAN, build_plan, plan_convolutions
from inception_bench.backends.tensorrt_session import TensorRtSession

# "current" builds for the GPU that is here; without one, for all that the engine's own default covers.
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
        return driver_problem()

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None:
        target = setup.options.get("target", TARGETS[0])
        capability = None if target == TARGETS[0] else target.upper()
        plan = build_plan(_engine(), graph / onnx_graph.FILE, setup, capability)
        (folder / PLAN).write_bytes(plan)
        (folder / FACTS).write_text(json.dumps(plan_convolutions(plan)))

    def load(self, folder: Path, setup: Setup) -> Any:
        return TensorRtSession(_engine(), folder, setup, Counter(json.loads((folder / FACTS).read_text())))


def _engine() -> Any:
    """The engine's module. Its wheels bring it as ``tensorrt_rtx_bindings``; the meta package renames that."""
    return import_module("tensorrt_rtx" if find_spec("tensorrt_rtx") else "tensorrt_rtx_bindings")


BACKEND = TensorRtRtx()
