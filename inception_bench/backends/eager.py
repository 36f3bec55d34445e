"""torch, call by call: the reference runtime. Its artifact is the weights themselves."""

from __future__ import annotations

from pathlib import Path

from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.torch_session import TorchSession, convolution_precision


class EagerSession(TorchSession):
    """The module as it is, in evaluation mode, NCHW."""

    def __init__(self, folder: Path, setup: Setup):
        import torch

        from inception_bench.models.stored import load_network

        self._module = load_network(folder)
        super().__init__(self._module, setup.threads)
        self._version = torch.__version__

    def attest(self) -> Attestation:
        torch = self._torch
        convs = [module for module in self._module.modules() if isinstance(module, torch.nn.Conv2d)]
        norms = [module for module in self._module.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        return Attestation(
            engine="torch",
            engine_version=self._version,
            device=",".join(sorted({conv.weight.device.type for conv in convs})),
            precision=convolution_precision({str(conv.weight.dtype) for conv in convs}),
            threads=torch.get_num_threads(),
            batch_norms_left=len(norms),
        )


class Eager:
    """The backend ``eager``."""

    name = "eager"
    modules = ("torch", "safetensors")
    distributions = ("torch",)
    install = "pip install torch safetensors"
    devices = ("cpu",)
    precisions = ("fp32",)

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return EagerSession(folder, setup)


BACKEND = Eager()
