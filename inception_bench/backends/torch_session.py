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
    """Runs ``call`` on torch tensors, without gradients. The weights of ``call`` are on the setup's device already."""

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
        """Wait for the GPU; on a CPU ``run`` returns when the call is done."""
        if self._setup.device == "cuda":
            self._torch.cuda.synchronize()

    def fetch(self, output: torch.Tensor) -> np.ndarray:
        return output.float().cpu().numpy()

    def reset_device_peak(self) -> None:
        """Give back the memory that the checks and cuDNN's search for algorithms took, and count the peak anew."""
        if self._setup.device == "cuda":
            self.synchronize()
            self._torch.cuda.empty_cache()
            self._torch.cuda.reset_peak_memory_stats()

    def device_memory(self) -> dict[str, int]:
        """Bytes since ``reset_device_peak``: the most in use by tensors, and the most that torch's allocator held."""
        if self._setup.device != "cuda":
            return {}
        memory = self._torch.cuda
        return {"allocator_peak": memory.max_memory_allocated(), "allocator_reserved": memory.max_memory_reserved()}

    def close(self) -> None:
        self._call = None


class TorchClock:
    """A DeviceClock: two CUDA events on ``stream``, or on torch's current stream where that is None."""

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
    """Set up torch before a session: its threads, and on a GPU whether convolutions may round to TF32.

    cuDNN may search for the fastest algorithms, as the other engines do too.
    """
    import torch

    torch.set_num_threads(setup.threads)
    torch.backends.cudnn.allow_tf32 = setup.precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = setup.precision == "tf32"
    torch.backends.cudnn.benchmark = True


def cast(network: Network) -> tuple[Any, Any]:
    """The module and the example batch, on the network's device and in its precision."""
    import torch

    dtype = getattr(torch, DTYPE_OF[network.precision])
    return network.module.to(network.device, dtype), network.example.to(network.device, dtype)


def refuses(device: str, precision: str) -> str | None:
    """Why torch cannot compute in ``precision`` on this machine's ``device``, or None where it can."""
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
    """The precision of all convolutions; where they differ, all of theirs joined by "+".

    ``dtypes`` are torch's names. On a GPU binary32 counts as tf32 where cuDNN is allowed to round to it.
    """
    import torch

    precisions = {PRECISION_OF.get(dtype, dtype) for dtype in dtypes}
    if device == "cuda" and "fp32" in precisions and torch.backends.cudnn.allow_tf32:
        precisions = (precisions - {"fp32"}) | {"tf32"}
    return "+".join(sorted(precisions))


def tf32_allowed(device: str) -> bool | None:
    """Whether cuDNN may round to TF32; None on a CPU."""
    import torch

    return torch.backends.cudnn.allow_tf32 if device == "cuda" else None
