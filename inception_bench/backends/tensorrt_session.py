"""Running a TensorRT plan: buffers and stream by the CUDA driver, so that no torch is needed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.cuda import Buffer, Cuda, EventClock, Graph, Stream
from inception_bench.backends.onnx_graph import INPUT, OUTPUT
from inception_bench.backends.tensorrt_plan import PLAN, effective_precision, inspector_convolutions, read_layers


class TensorRtSession:
    """An engine and its context; input and output are bound by name (``execute_async_v3``).

    ``built`` counts the convolutions by what they compute in, where the plan said it; else the inspector is asked.
    """

    def __init__(self, trt: Any, folder: Path, setup: Setup, built: Counter[str] | None = None):
        self._trt = trt
        self._built = built
        self._setup = setup
        self._cuda = Cuda()
        self._stream = Stream(self._cuda)
        self.device_clock = EventClock(self._cuda, self._stream)
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine((folder / PLAN).read_bytes())
        if self._engine is None:
            raise RuntimeError("the engine file could not be loaded on this GPU by this version")
        self._context = self._engine.create_execution_context()
        self._buffers: dict[str, Buffer] = {}
        self._graph: Graph | None = None
        self._output: np.ndarray | None = None

    def put(self, batch: np.ndarray) -> Any:
        """Copy to the device; binds anew (and captures anew) where the shape is new."""
        if not self._buffers or tuple(self._context.get_tensor_shape(INPUT)) != batch.shape:
            self._bind(batch.shape)
        self._buffers[INPUT].fill(np.ascontiguousarray(batch, np.float32), self._stream)
        return batch.shape

    def run(self, batch: Any) -> Any:
        if self._setup.options.get("cuda_graph") == "on":
            if self._graph is None:
                self._enqueue()  # an engine may set itself up in its first call, which cannot be captured
                self._stream.synchronize()
                self._graph = self._stream.capture(self._enqueue)
            self._graph.launch()
        else:
            self._enqueue()
        return batch

    def synchronize(self) -> None:
        self._stream.synchronize()

    def fetch(self, output: Any) -> np.ndarray:
        host = np.empty(tuple(self._context.get_tensor_shape(OUTPUT)), np.float32)
        self._buffers[OUTPUT].read(host, self._stream)
        return host

    def attest(self) -> Attestation:
        found = self._built or inspector_convolutions(read_layers(self._trt, self._engine))
        tf32 = self._setup.precision == "tf32"
        return Attestation(
            engine=self._trt.__name__.partition("_bindings")[0],
            engine_version=self._trt.__version__,
            device="cuda",  # an engine has no other to run on
            precision=effective_precision(found, tf32),
            threads=self._setup.threads,  # the host only enqueues
            batch_norms_left=0,
            tf32=tf32,
            nodes_elsewhere=0,
            note="convolutions " + ", ".join(f"{name} x{count}" for name, count in found.most_common()),
        )

    def device_memory(self) -> dict[str, int]:
        """The engine's own statement, in bytes: scratch memory of a context."""
        name = "device_memory_size_v2" if hasattr(self._engine, "device_memory_size_v2") else "device_memory_size"
        return {"engine_scratch": int(getattr(self._engine, name))}

    def close(self) -> None:
        for buffer in self._buffers.values():
            buffer.free()
        self._buffers = {}
        self._graph = self._context = self._engine = None

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._stream.address):
            raise RuntimeError("the engine could not enqueue the call")

    def _bind(self, shape: tuple[int, ...]) -> None:
        if not self._context.set_input_shape(INPUT, shape):
            raise ValueError(f"the engine takes {tuple(self._engine.get_tensor_shape(INPUT))}, given {shape}")
        for buffer in self._buffers.values():
            buffer.free()
        self._graph = None
        shapes = {INPUT: shape, OUTPUT: tuple(self._context.get_tensor_shape(OUTPUT))}
        self._buffers = {name: Buffer(self._cuda, 4 * int(np.prod(found))) for name, found in shapes.items()}  # float32
        for name, buffer in self._buffers.items():
            self._context.set_tensor_address(name, buffer.address)
