"""AOTInductor: torch.export, compiled ahead of time to a package (.pt2) that runs without the network's code."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends import inductor
from inception_bench.backends.base import Attestation, Network, Setup
from inception_bench.backends.torch_session import (
    PRECISIONS,
    TorchSession,
    cast,
    convolution_precision,
    prepare,
    tf32_allowed,
)

FILE = "network.pt2"
FACTS = "facts.json"


class AotSession(TorchSession):
    """Runs a package (.pt2), which is loaded from its file."""

    def __init__(self, folder: Path, setup: Setup):
        import torch
        import torch._inductor

        prepare(setup)
        self._package: Any = torch._inductor.aoti_load_package(str(folder / FILE))
        self._facts = json.loads((folder / FACTS).read_text())
        super().__init__(self._package, setup)

    def put(self, batch: np.ndarray) -> Any:
        # A package reads memory as if the shape were right and answers nonsense where it is not.
        size = self._setup.input_size
        wanted = (self._setup.batch_size, self._facts["channels"], size, size)
        if batch.shape != wanted:
            raise ValueError(f"the package is built for a batch of shape {wanted}, given {batch.shape}")
        return super().put(batch)

    def attest(self) -> Attestation:
        built = self._package.get_metadata()
        device = built["AOTI_DEVICE_KEY"]
        return Attestation(
            engine="AOTInductor",
            engine_version=self._torch.__version__,
            device=device,
            precision=convolution_precision(set(self._facts["types"]), device),
            threads=self._torch.get_num_threads(),
            batch_norms_left=self._facts["batch_norms"],
            tf32=tf32_allowed(device),
            graph_breaks=0,  # torch.export takes a whole graph or fails
            note=f"built for {built.get('AOTI_CPU_ISA') or built.get('AOTI_COMPUTE_CAPABILITY') or 'any'}",
        )

    def close(self) -> None:
        super().close()
        self._package = None


def read_facts(package: Path) -> dict[str, object]:
    """The types of the filters, and how many batch norms still have statistics, read from a package's C++ code."""
    with zipfile.ZipFile(package) as archive:
        names = [name for name in archive.namelist() if name.endswith(".wrapper.cpp")]
        constants = [entry for name in names for entry in inductor.wrapper_constants(archive.read(name).decode())]
    return {
        "types": sorted(inductor.constant_convolution_types(constants)),
        "batch_norms": sum(entry["original_fqn"].endswith(".running_mean") for entry in constants),
    }


class AotInductor:
    """The backend ``aot_inductor``."""

    name = "aot_inductor"
    modules = ("torch",)
    build_modules = ("torch",)
    distributions = ("torch",)
    install = "pip install torch"
    precisions = PRECISIONS
    built_with = ("inception_bench.backends.torch_session", "inception_bench.backends.inductor")
    writes_threads = True  # into the code that it makes

    def refuses(self, device: str, precision: str) -> str | None:
        return inductor.refuses(device, precision, packaged=True)

    def build(self, network: Network, folder: Path) -> None:
        import torch
        import torch._inductor

        module, example = cast(network)
        torch.backends.cudnn.allow_tf32 = network.precision == "tf32"
        with torch.no_grad():
            exported = torch.export.export(module, (example,))
            torch._inductor.aoti_compile_and_package(exported, package_path=str(folder / FILE))
        facts = {**read_facts(folder / FILE), "channels": example.shape[1]}
        (folder / FACTS).write_text(json.dumps(facts))

    def load(self, folder: Path, setup: Setup) -> AotSession:
        return AotSession(folder, setup)


BACKEND = AotInductor()
