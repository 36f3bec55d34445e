"""TensorRT 10 and 11, and 8.6 with the option ``opset=17``. A plan is built on the GPU that later runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inception_bench.backends import onnx_graph
from inception_bench.backends.base import Setup
from inception_bench.backends.tensorrt_plan import PLAN, build_plan, is_version_8
from inception_bench.backends.tensorrt_session import TensorRtSession
from inception_bench.backends.timings import timing_file
from inception_bench.machine.cuda import device_capability, driver_problem, this_device

_TF32_CAPABILITY = (8, 0)


class TensorRt(onnx_graph.OnnxExport):
    """The backend ``tensorrt``."""

    name = "tensorrt"
    modules = ("tensorrt",)
    distributions = ("tensorrt", "tensorrt-cu13", "tensorrt-cu12")
    install = "pip install tensorrt (it downloads its libraries from the vendor)"
    precisions = {"cuda": ("fp32", "tf32", "bf16", "fp16")}  # noqa: RUF012 - a table
    options = {"cuda_graph": ("off", "on"), "batch": ("fixed", "dynamic"), "opset": ("newest", "17")}  # noqa: RUF012

    built_with = ("inception_bench.backends.tensorrt_plan",)

    def refuses(self, device: str, precision: str) -> str | None:
        problem = driver_problem()  # asked first: without a driver the engine's runtime may crash
        if problem is not None:
            return problem
        import tensorrt

        if precision == "bf16" and is_version_8(tensorrt):
            return f"tensorrt {tensorrt.__version__} has no bf16; it came with version 9"
        if precision in ("tf32", "bf16") and device_capability() < _TF32_CAPABILITY:
            return f"this GPU has no {precision}"
        return None

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None:
        import tensorrt

        timings = timing_file(this_device(), tensorrt.__version__)
        (folder / PLAN).write_bytes(build_plan(tensorrt, graph / onnx_graph.FILE, setup, timings=timings))

    def load(self, folder: Path, setup: Setup) -> Any:
        import tensorrt

        return TensorRtSession(tensorrt, folder, setup)


BACKEND = TensorRt()
