"""Running a TensorRT plan. Buffers and stream come from the CUDA driver, so that no torch is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.onnx_graph import INPUT, OUTPUT
from inception_bench.backends.tensorrt_inspect import inspector_convolutions, read_layers, told
from inception_bench.backends.tensorrt_plan import PLAN, effective_precision, last_words, listener, make
from inception_bench.machine.cuda import Buffer, Cuda, EventClock, Graph, Stream
from inception_bench.processes.service import Unavailable


def open_plan(trt: Any, runtime: Any, plan: bytes, words: list[str]) -> tuple[Any, Any]:
    """The engine of a plan and its execution context; ``words`` are the errors that the runtime's logger was told.

    Raises Unavailable, with the reason, where the engine does not run this plan on this GPU; RuntimeError where the
    GPU's memory does not suffice or the plan is damaged.
    """
    invalid = _invalidity(trt, runtime, plan)
    if invalid:
        raise _refused(f"the engine does not run its plan on this GPU: {', '.join(invalid)}", invalid)
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise _refused(f"the engine does not load its plan on this GPU; {last_words(words)}", words)
    context = engine.create_execution_context()
    if context is None:
        raise _refused(f"the engine does not run its plan on this GPU; {last_words(words)}", words)
    return engine, context


def _refused(text: str, words: Sequence[str]) -> Exception:
    """RuntimeError for a lack of memory or a damaged file, which are failures; Unavailable for any other reason."""
    said = " ".join(words).lower().replace("_", " ")
    ours = any(sign in said for sign in ("out of memory", "outofmemory", "gpu memory", "malformed"))
    return RuntimeError(text) if ours else Unavailable(text)


def _invalidity(trt: Any, runtime: Any, plan: bytes) -> list[str]:
    """The names of the diagnostics by which the engine says that a plan is not valid on this GPU.

    Empty where the plan is valid, and where the engine gives no reason.
    """
    if not hasattr(runtime, "get_engine_validity"):  # only TensorRT-RTX has it
        return []
    validity, diagnostics = runtime.get_engine_validity(plan)
    if validity != trt.EngineValidity.INVALID:
        return []
    known = trt.EngineInvalidityDiagnostics.__members__.items()
    return [name for name, bit in known if int(diagnostics) & int(bit)]


class TensorRtSession:
    """An engine and its execution context; input and output are bound by name (``execute_async_v3``).

    ``built`` counts the convolutions by their precision, where that could be read from the plan; with None the engine's
    inspector is asked instead.
    """

    def __init__(self, trt: Any, folder: Path, setup: Setup, built: Counter[str] | None = None):
        self._trt = trt
        self._built = built
        self._setup = setup
        self._cuda = Cuda()
        self._stream = Stream(self._cuda)
        self.device_clock = EventClock(self._cuda, self._stream)
        self._words: list[str] = []
        self._logger = listener(trt, self._words)
        self._runtime = make(trt.Runtime, self._logger, self._words)
        self._engine, self._context = open_plan(trt, self._runtime, (folder / PLAN).read_bytes(), self._words)
        self._buffers: dict[str, Buffer] = {}
        self._graph: Graph | None = None
        self._output: np.ndarray | None = None

    def put(self, batch: np.ndarray) -> Any:
        """Copy to the device. A new shape gets new buffers, and makes the next ``run`` capture a new CUDA graph."""
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
        tf32 = self._setup.precision == "tf32"
        convolutions = self._built
        if convolutions is None:
            convolutions = inspector_convolutions(read_layers(self._trt, self._engine, self._context), tf32=tf32)
        return Attestation(
            engine=self._trt.__name__.partition("_bindings")[0],
            engine_version=self._trt.__version__,
            device="cuda",  # TensorRT runs on nothing else
            precision=effective_precision(convolutions, tf32),
            threads=self._setup.threads,  # the host only enqueues the work, so that no number of threads can be read
            batch_norms_left=0,
            tf32=tf32,
            nodes_elsewhere=0,
            note=told(convolutions),
        )

    def device_memory(self) -> dict[str, int]:
        """The engine's own statement, in bytes: the scratch memory of an execution context."""
        name = "device_memory_size_v2" if hasattr(self._engine, "device_memory_size_v2") else "device_memory_size"
        return {"engine_scratch": int(getattr(self._engine, name))}

    def close(self) -> None:
        for buffer in self._buffers.values():
            buffer.free()
        self._buffers = {}
        self._graph = self._context = self._engine = None

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._stream.address):
            raise RuntimeError(f"the engine could not enqueue the call; {last_words(self._words)}")

    def _bind(self, shape: tuple[int, ...]) -> None:
        if not self._context.set_input_shape(INPUT, shape):
            raise ValueError(f"the engine takes {tuple(self._engine.get_tensor_shape(INPUT))}, given {shape}")
        for buffer in self._buffers.values():
            buffer.free()
        self._graph = None
        shapes = {INPUT: shape, OUTPUT: tuple(self._context.get_tensor_shape(OUTPUT))}
        self._buffers = {name: Buffer(self._cuda, 4 * int(np.prod(dims))) for name, dims in shapes.items()}  # float32
        for name, buffer in self._buffers.items():
            self._context.set_tensor_address(name, buffer.address)
