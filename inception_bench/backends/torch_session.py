"""What the sessions of torch's own runtimes share. Imports torch when a session is made, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inception_bench.backends.base import Network, Setup

if TYPE_CHECKING:
    import torch

PRECISION_OF = {"torch.float32": "fp32", "torch.float64": "fp64", "torch.float16": "fp16", "torch.bfloat16": "bf16"}
DTYPE_OF = {"fp32": "float32", "tf32": "float32", "bf16": "bfloat16", "fp16": "float16"}
PRECISIONS = {"cpu": ("fp32", "bf16", "fp16"), "cuda": ("fp32", "tf32", "bf16", "fp16")}
_TF32_CAPABILITY = (8, 0)


class TorchSession:
    """Runs a callable on torch tensors, without gradients. ``call`` lies on the setup's device already."""

    def __init__(self, call: Any, setup: Setup, memory_format: torch.memory_format | None = None):
        import torch

        self._torch = torch
        self._call = call
        self._setup = setup
        self._dtype = getattr(torch, DTYPE_OF[setup.precision])
        self._memory_format = memory_format or torch.contiguous_format
        self.device_clock = TorchClock(torch) if setup.device == "cuda" else None

    def put(self, batch: np.ndarray) -> torch.Tensor:
        # To the device first, so that the cast is done there.
        moved = self._torch.from_numpy(np.array(batch)).to(self._setup.device)
        return moved.to(self._dtype, memory_format=self._memory_format)

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        with self._torch.inference_mode():
            logits: torch.Tensor = self._call(batch)
            return logits

    def synchronize(self) -> None:
        """Wait for the device; the CPU runs a call to its end by itself."""
        if self._setup.device == "cuda":
            self._torch.cuda.synchronize()

    def fetch(self, output: torch.Tensor) -> np.ndarray:
        return output.float().cpu().numpy()

    def reset_device_peak(self) -> None:
        """Give back what cuDNN's search for algorithms and the checks took; the peak begins anew."""
        if self._setup.device == "cuda":
            self.synchronize()
            self._torch.cuda.empty_cache()
            self._torch.cuda.reset_peak_memory_stats()

    def device_memory(self) -> dict[str, int]:
        """The allocator's peak since ``reset_device_peak``, and what it holds back from the device. Bytes."""
        if self._setup.device != "cuda":
            return {}
        memory = self._torch.cuda
        return {"allocator_peak": memory.max_memory_allocated(), "allocator_reserved": memory.max_memory_reserved()}

    def close(self) -> None:
        self._call = None


class TorchClock:
    """A DeviceClock: two CUDA events on a stream, or on the current one."""

    def __init__(self, torch: Any, stream: Any = None):
        self._stream = stream
        self._events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]

    def start(self) -> None:
        self._events[0].record(self._stream)

    def stop(self) -> None:
        self._events[1].record(self._stream)

    def seconds(self) -> float:
        milliseconds: float = self._events[0].elapsed_time(self._events[1])
        return milliseconds / 1e3


def prepare(setup: Setup) -> None:
    """Before a session: threads, and on a GPU whether convolutions may round to TF32.

    cuDNN may try its algorithms, as every engine that a session is compared with does.
    """
    import torch

    torch.set_num_threads(setup.threads)
    torch.backends.cudnn.allow_tf32 = setup.precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = setup.precision == "tf32"
    torch.backends.cudnn.benchmark = True


def cast(network: Network) -> tuple[Any, Any]:
    """The module and the example, on the network's device in its precision."""
    import torch

    dtype = getattr(torch, DTYPE_OF[network.precision])
    return network.module.to(network.device, dtype), network.example.to(network.device, dtype)


def refuses(device: str, precision: str) -> str | None:
    """Why torch cannot run ``precision`` on ``device`` of this machine, or None."""
    import torch

    if device != "cuda":
        return None
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} sees no CUDA device; install a torch build for the CUDA driver that is here"
    capability = torch.cuda.get_device_capability()
    if precision in ("tf32", "bf16") and capability < _TF32_CAPABILITY:
        return f"{torch.cuda.get_device_name()} (compute capability {capability[0]}.{capability[1]}) has no {precision}"
    return None


def convolution_precision(dtypes: set[str], device: str = "cpu") -> str:
    """The one precision of all convolutions, or all of them joined where they differ.

    ``dtypes`` are torch's names. On a GPU binary32 is tf32 where cuDNN is allowed to round to it.
    """
    import torch

    found = {PRECISION_OF.get(dtype, dtype) for dtype in dtypes}
    if device == "cuda" and "fp32" in found and torch.backends.cudnn.allow_tf32:
        found = (found - {"fp32"}) | {"tf32"}
    return "+".join(sorted(found))


def tf32_allowed(device: str) -> bool | None:
    """Whether cuDNN may round to TF32; None where there is no GPU in play."""
    import torch

    return torch.backends.cudnn.allow_tf32 if device == "cuda" else None
