"""What the sessions of torch's own runtimes share. Imports torch when a session is made, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

PRECISION_OF = {"torch.float32": "fp32", "torch.float64": "fp64", "torch.float16": "fp16", "torch.bfloat16": "bf16"}


class TorchSession:
    """Runs a callable on torch tensors, without gradients."""

    def __init__(self, call: Any, threads: int):
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        self._call = call

    def put(self, batch: np.ndarray) -> torch.Tensor:
        return self._torch.from_numpy(np.array(batch))

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        with self._torch.inference_mode():
            return self._call(batch)

    def synchronize(self) -> None:
        """The CPU runs a call to its end; there is nothing to wait for."""

    def fetch(self, output: torch.Tensor) -> np.ndarray:
        return output.float().numpy()

    def close(self) -> None:
        self._call = None


def convolution_precision(dtypes: set[str]) -> str:
    """The one precision of all convolutions, or all of them joined where they differ."""
    return "+".join(sorted(PRECISION_OF.get(dtype, dtype) for dtype in dtypes))
