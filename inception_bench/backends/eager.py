"""The reference runtime: torch runs the module's Python code, operation by operation. It loads the bare weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.torch_session import (
    DTYPE_OF,
    PRECISIONS,
    TorchSession,
    convolution_precision,
    prepare,
    refuses,
    tf32_allowed,
)

if TYPE_CHECKING:
    import torch


class EagerSession(TorchSession):
    """The module as it is, in evaluation mode, with maps and filters in NCHW or NHWC order."""

    def __init__(self, folder: Path, setup: Setup, memory_format: str = "contiguous_format"):
        import torch

        from inception_bench.models.weights.rows import load_for

        prepare(setup)
        layout = getattr(torch, memory_format)
        module: Any = load_for(folder, rows=setup.rows)
        self._module = module.to(setup.device, getattr(torch, DTYPE_OF[setup.precision]), memory_format=layout)
        super().__init__(self._module, setup, layout)
        self._version = torch.__version__
        self._trains = setup.options.get("pass") == "training"
        self._module.requires_grad_(self._trains)

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """The logits; with the option ``pass=training`` also the gradient of every weight is computed.

        Batch norms use and keep their stored statistics in either pass.
        """
        if not self._trains:
            return super().run(batch)
        logits: torch.Tensor = self._module(batch)
        self._module.zero_grad(set_to_none=True)
        logits.float().mean().backward()
        return logits.detach()

    def attest(self) -> Attestation:
        torch = self._torch
        convs = [module for module in self._module.modules() if isinstance(module, torch.nn.Conv2d)]
        norms = [module for module in self._module.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        device = ",".join(sorted({conv.weight.device.type for conv in convs}))
        # A 1x1 filter is contiguous in both layouts, so only wider filters show which layout is in use.
        wide = [conv.weight for conv in convs if conv.weight.shape[1] > 1 and conv.weight.shape[-2:].numel() > 1]
        last = sum(weight.is_contiguous(memory_format=torch.channels_last) for weight in wide)
        return Attestation(
            engine="torch",
            engine_version=self._version,
            device=device,
            precision=convolution_precision({str(conv.weight.dtype) for conv in convs}, device),
            threads=torch.get_num_threads(),
            batch_norms_left=len(norms),
            tf32=tf32_allowed(device),
            note=f"filters in NHWC: {last} of {len(wide)} wider than 1x1"
            + ("; forward and backward" if self._trains else ""),
        )


class Eager:
    """The backend ``eager``."""

    name = "eager"
    modules = ("torch", "safetensors")
    distributions = ("torch",)
    install = "pip install torch safetensors"
    precisions = PRECISIONS
    # A training pass is a forward pass and a backward pass, without the optimiser's step.
    options: Mapping[str, tuple[str, ...]] = {"pass": ("inference", "training")}

    def refuses(self, device: str, precision: str) -> str | None:
        return refuses(device, precision)

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return EagerSession(folder, setup)


BACKEND = Eager()
