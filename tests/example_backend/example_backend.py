"""A runtime of one's own: TorchScript by scripting, where the built-in ``torchscript`` traces.

All that inception-bench needs is this object, named in an entry point of the group ``inception_bench.backends``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation, Network, Setup

FILE = "scripted.pt"


class ScriptedSession:
    """A scripted and frozen module, loaded by path."""

    def __init__(self, folder: Path, setup: Setup):
        import torch

        torch.set_num_threads(setup.threads)
        self._torch = torch
        self._module: Any = torch.jit.load(str(folder / FILE))

    def put(self, batch: np.ndarray) -> Any:
        return self._torch.from_numpy(np.array(batch))

    def run(self, batch: Any) -> Any:
        with self._torch.inference_mode():
            return self._module(batch)

    def synchronize(self) -> None:
        """The CPU runs a call to its end; there is nothing to wait for."""

    def fetch(self, output: Any) -> np.ndarray:
        return output.numpy()

    def attest(self) -> Attestation:
        graph = self._module.inlined_graph
        convs = [*graph.findAllNodes("aten::_convolution"), *graph.findAllNodes("aten::conv2d")]
        types = {str(conv.inputsAt(1).toIValue().dtype) for conv in convs}
        return Attestation(
            engine="torch.jit.script",
            engine_version=self._torch.__version__,
            device="cpu",
            precision="fp32" if types == {"torch.float32"} else "+".join(sorted(types)),
            threads=self._torch.get_num_threads(),
            batch_norms_left=len(graph.findAllNodes("aten::batch_norm")),
        )

    def close(self) -> None:
        self._module = None


class Scripted:
    """The backend ``scripted``."""

    name = "scripted"
    modules = ("torch",)
    build_modules = ("torch",)
    distributions = ("torch",)
    install = "pip install torch"
    precisions = {"cpu": ("fp32",)}  # noqa: RUF012 - a table

    def build(self, network: Network, folder: Path) -> None:
        import torch

        torch.jit.freeze(torch.jit.script(network.module)).save(str(folder / FILE))

    def load(self, folder: Path, setup: Setup) -> ScriptedSession:
        return ScriptedSession(folder, setup)


BACKEND = Scripted()
