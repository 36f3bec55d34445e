"""TorchScript: the module is traced and frozen, which folds batch norms. Deprecated by torch, but still in use."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_bench.backends.base import Attestation, Network, Setup
from inception_bench.backends.torch_session import (
    PRECISIONS,
    TorchSession,
    cast,
    convolution_precision,
    prepare,
    refuses,
    tf32_allowed,
)

FILE = "network.pt"


@contextmanager
def deprecation_known() -> Iterator[None]:
    """Silence torch's notice that TorchScript is deprecated; the attestation says it instead."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=FutureWarning)
        yield


class TorchScriptSession(TorchSession):
    """Runs a frozen trace, which is loaded from its file; the model's Python code is not needed."""

    def __init__(self, folder: Path, setup: Setup):
        import torch

        prepare(setup)
        with deprecation_known():
            self._module = torch.jit.load(str(folder / FILE), map_location=setup.device)
        super().__init__(self._module, setup)
        self._version = torch.__version__

    def attest(self) -> Attestation:
        graph = self._module.inlined_graph
        convs = [*graph.findAllNodes("aten::_convolution"), *graph.findAllNodes("aten::conv2d")]
        weights = [conv.inputsAt(1).toIValue() for conv in convs]
        device = ",".join(sorted({weight.device.type for weight in weights}))
        return Attestation(
            engine="torchscript",
            engine_version=self._version,
            device=device,
            precision=convolution_precision({str(weight.dtype) for weight in weights}, device),
            threads=self._torch.get_num_threads(),
            batch_norms_left=len(graph.findAllNodes("aten::batch_norm")),
            tf32=tf32_allowed(device),
            note="trace and freeze; deprecated by torch",
        )


class TorchScript:
    """The backend ``torchscript``."""

    name = "torchscript"
    modules = ("torch",)
    build_modules = ("torch",)
    distributions = ("torch",)
    install = "pip install torch"
    precisions = PRECISIONS
    built_with = ("inception_bench.backends.torch_session",)

    def refuses(self, device: str, precision: str) -> str | None:
        return refuses(device, precision)

    def build(self, network: Network, folder: Path) -> None:
        import torch

        with torch.inference_mode(), deprecation_known():
            # torch would trace twice more and compare; here the output is compared with float64 before it is timed.
            traced = torch.jit.trace(*cast(network), check_trace=False)
            torch.jit.freeze(traced).save(str(folder / FILE))

    def load(self, folder: Path, setup: Setup) -> TorchScriptSession:
        return TorchScriptSession(folder, setup)


BACKEND = TorchScript()
