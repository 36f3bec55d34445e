"""Every runtime that is ready here, on a network small enough that each builds in seconds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from inception_bench.backends import registry
from inception_bench.backends.registry import BUILT_IN, find_backend
from inception_bench.machine import cuda
from inception_bench.measure.references import Reference
from inception_bench.measure.workshop import Workshop, setup_of
from inception_bench.models import public
from inception_bench.processes.process import Process
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import Artifact, ArtifactCache

ENGINES = Path(__file__).with_name("engines")
LIMIT_S = 300.0
CPU_BACKENDS = tuple(name for name in BUILT_IN if "cpu" in find_backend(name).backend.precisions)


def small_case(backend: str, precision: str = "fp32", batch_size: int = 2, **other) -> Case:
    """The small network on a backend; ``other`` are fields of either part of a case, ``options`` as JSON."""
    made = Case(NetworkSpec("small", "", 32, 1.0, 10), Runtime(backend, "cpu", precision, batch_size, threads=1))
    return Case.from_json({**made.to_json(), **other})


@pytest.fixture(scope="package")
def engines() -> Iterator[Path]:
    """The engines and the network of these tests, found through entry points as anybody's own."""
    caches = (registry.backends.cache_clear, public.tables.cache_clear)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ENGINES))
        patch.setenv("PYTHONPATH", str(ENGINES), prepend=":")
        # For so small a network compiling the headers alone takes longer than all the rest.
        patch.setenv("TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS", "0")
        for clear in caches:
            clear()
        yield ENGINES
    for clear in caches:
        clear()


@pytest.fixture(scope="package")
def workshop(engines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(ArtifactCache(tmp_path_factory.mktemp("cache")), LIMIT_S)
    yield made
    made.close()


@dataclass
class Bench:
    """A case with what it needs, and workers on demand."""

    workshop: Workshop
    case: Case
    weights: Artifact
    reference: Reference
    artifact: Artifact

    def worker(self) -> Process:
        process = self.workshop.worker(self.case.runtime)
        process.call(
            "start", LIMIT_S, backend=find_backend(self.case.runtime.backend).target, device=self.case.runtime.device
        )
        return process

    def load(self, process: Process) -> None:
        process.call("load", LIMIT_S, folder=str(self.artifact.folder), setup=vars(setup_of(self.case)))

    def first(self, process: Process) -> None:
        process.call("first", LIMIT_S, images=str(self.reference.images), batch_size=self.case.runtime.batch_size)

    def answers(self, process: Process, images: Path, batch_size: int) -> np.ndarray:
        return process.call("logits", LIMIT_S, images=str(images), batch_size=batch_size)[1][0]


def bench(workshop: Workshop, case: Case) -> Bench:
    weights = workshop.weights(case)
    reference = workshop.reference(case.network, weights)
    return Bench(workshop, case, weights, reference, workshop.artifact(case, weights, reference.images))


@pytest.fixture(scope="package", autouse=True)
def _ends_processes() -> Iterator[None]:
    yield
    assert str(ENGINES) not in sys.path


@pytest.fixture(scope="session")
def stub_driver_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that stands for the CUDA driver of a machine with a GPU, as far as it tells the truth without one."""
    library = tmp_path_factory.mktemp("driver") / "libcuda.so.1"
    source = Path(__file__).with_name("stub_driver.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


@pytest.fixture
def stub_driver(stub_driver_library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The stub is this process's CUDA driver, and that of all that it starts."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(stub_driver_library.parent), prepend=":")
    monkeypatch.setattr(cuda, "LIBRARY", str(stub_driver_library))
    cuda.driver_problem.cache_clear()
    yield stub_driver_library
    cuda.driver_problem.cache_clear()
