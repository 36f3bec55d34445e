"""What an engine refuses is asked before anything is built for it, and is unavailable with the engine's own reason."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from inception_bench.backends import inductor
from inception_bench.backends.base import Setup
from inception_bench.backends.onnx_graph import FILE
from inception_bench.backends.onnxruntime import OnnxRuntime, _engine, _open
from inception_bench.backends.registry import find_backend
from inception_bench.backends.tensorrt_plan import build_plan
from inception_bench.backends.tensorrt_session import open_plan
from inception_bench.measure.workshop import Workshop
from inception_bench.processes.process import CallFailed
from inception_bench.processes.service import Unavailable
from inception_bench.store.cache import ArtifactCache
from tests.backends.conftest import LIMIT_S, bench, small_case
from tests.backends.test_cells import prepared


@pytest.fixture
def fresh(engines: Path, tmp_path: Path) -> Iterator[Workshop]:
    """A workshop that has built nothing yet, whose processes start with the environment of the test."""
    made = Workshop(ArtifactCache(tmp_path), LIMIT_S)
    yield made
    made.close()


def built(workshop: Workshop) -> set[str]:
    """The kinds of things that lie in the cache."""
    return {path.parent.parent.name for path in workshop.cache.root.glob("*/*/manifest.json")}


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("eager", "sees no CUDA device"),
        ("torchscript", "sees no CUDA device"),
        ("compile", "sees no CUDA device"),
        ("aot_inductor", "sees no CUDA device"),
        ("onnxruntime", "this onnxruntime is built for CPUs alone; pip install onnxruntime-gpu"),
        ("tensorrt_rtx", "the engine does not load its plan on this GPU; its last words: "),
    ],
)
@pytest.mark.usefixtures("stub_driver")
def test_an_engine_that_refuses_the_gpu_costs_no_build(fresh: Workshop, backend: str, reason: str):
    """A driver with a GPU behind it, and engines that cannot use it."""
    absent = find_backend(backend).missing()
    found = prepared(fresh, small_case(backend, device="cuda")).measurement
    assert (found.outcome, found.stage) == ("unavailable", "build")
    assert (absent or reason) in found.reason
    assert built(fresh) == set()


@pytest.mark.usefixtures("stub_driver")
def test_tensorrt_rtx_names_the_gpu_that_it_refuses(fresh: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STUB_GPU", "NVIDIA H100")
    if find_backend("tensorrt_rtx").missing() is None:
        with pytest.raises(CallFailed, match=r"\(NVIDIA H100, compute capability 9.0\)$"):
            fresh.refusals.require(small_case("tensorrt_rtx", device="cuda").runtime)


@pytest.mark.parametrize("backend", ["choosy", "choosy_compiler"])
def test_a_refusal_comes_before_weights_reference_and_export(
    fresh: Workshop, backend: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CHOOSY", "no such machine")
    found = prepared(fresh, small_case(backend)).measurement
    assert (found.outcome, found.stage, found.reason) == ("unavailable", "build", "no such machine")
    assert built(fresh) == set()


def test_what_the_reference_refuses_is_unavailable_too(fresh: Workshop, monkeypatch: pytest.MonkeyPatch):
    known = {("choosy_compiler", "cpu"): {}, ("eager", "cpu"): {"fp32": "no torch"}}
    monkeypatch.setattr(fresh.refusals, "known", known)
    found = prepared(fresh, small_case("choosy_compiler")).measurement
    assert (found.outcome, found.reason) == ("unavailable", "no torch")


@pytest.mark.slow
def test_an_engine_of_another_interpreter_is_asked_there(fresh: Workshop, tmp_path: Path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nCHOOSY="refused by another interpreter" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    fresh.refusals.require(small_case("choosy").runtime)  # this one has nothing against it
    other = Workshop(fresh.cache, LIMIT_S, {"choosy": str(python)})
    with pytest.raises(CallFailed, match="refused by another interpreter") as caught:
        other.refusals.require(small_case("choosy").runtime)
    assert caught.value.outcome == "unavailable"


@pytest.mark.slow
def test_an_export_alone_asks_before_it_builds(fresh: Workshop, monkeypatch: pytest.MonkeyPatch):
    """``inception-bench export`` drives no cell: the builder, and the compiler's worker, ask by themselves."""
    monkeypatch.setenv("CXX", "/no/compiler")
    monkeypatch.setenv("CHOOSY", "no such machine")
    for backend, reason in (("aot_inductor", "finds no /no/compiler"), ("choosy_compiler", "no such machine")):
        case = small_case(backend)
        weights, images = fresh.weights(case), fresh.images(case.network)
        with pytest.raises(CallFailed, match=reason) as caught:
            fresh.artifact(case, weights, images)
        assert caught.value.outcome == "unavailable"
    assert built(fresh) == {"weights", "images"}


def test_inductor_looks_for_the_compilers_that_it_would_start(monkeypatch: pytest.MonkeyPatch):
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    assert inductor.refuses("cpu", "fp32") is None
    monkeypatch.setenv("PATH", "")
    assert "needs a C++ compiler and finds no g++" in str(inductor.refuses("cpu", "fp32"))
    # Behind a GPU that torch can use, and with triton installed:
    monkeypatch.setattr(inductor.torch_session, "refuses", lambda device, precision: None)
    monkeypatch.setattr(inductor, "find_spec", lambda name: object())
    assert inductor.refuses("cuda", "fp32") == "triton needs a C compiler and finds none; apt install gcc"
    monkeypatch.setenv("CC", "/opt/cc")
    assert inductor.refuses("cuda", "fp32") is None
    assert "needs a C++ compiler" in str(inductor.refuses("cuda", "fp32", packaged=True))
    monkeypatch.setattr(inductor, "find_spec", lambda name: None)
    assert inductor.refuses("cuda", "fp32") == "inductor needs triton for CUDA; pip install triton"


def test_a_session_that_would_fall_back_to_the_cpu_is_unavailable(workshop: Workshop):
    """ONNX Runtime's own refusal (its type is Fail), from a build without CUDA that is asked for it."""
    if "CUDAExecutionProvider" in _engine("cpu").get_available_providers():
        return  # it would not refuse
    graph = bench(workshop, small_case("onnxruntime")).artifact.folder / FILE
    with pytest.raises(Unavailable, match="onnxruntime on cuda in fp32: the provider did not start"):
        _open(_engine("cpu"), graph, Setup("cuda", "fp32", 1, 2, 32))


class Runtime:
    """Stands for an engine's runtime on a GPU that a test cannot have: what it gives for a plan."""

    def __init__(self, words: list[str], said: str = "", engine: object = None, validity: tuple | None = None):
        self._words, self._said, self._engine = words, said, engine
        if validity is not None:
            self.get_engine_validity = lambda plan: validity

    def deserialize_cuda_engine(self, plan: bytes) -> object:
        self._words += [self._said] if self._said else []
        return self._engine


RTX = SimpleNamespace(
    EngineValidity=SimpleNamespace(VALID=0, INVALID=2),
    # As the engine's bindings name and number them.
    EngineInvalidityDiagnostics=SimpleNamespace(
        __members__={"UNSUPPORTED_CC": 2, "OLD_CUDA_DRIVER": 4, "INSUFFICIENT_GPU_MEMORY": 16, "MALFORMED_ENGINE": 32}
    ),
)


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ({"validity": (2, 2 + 4)}, Unavailable, "does not run its plan on this GPU: UNSUPPORTED_CC, OLD_CUDA_DRIVER"),
        ({"validity": (2, 16)}, RuntimeError, "INSUFFICIENT_GPU_MEMORY"),
        ({"validity": (2, 32)}, RuntimeError, "MALFORMED_ENGINE"),
        ({"validity": (0, 0), "said": "Target GPU SM 90 is not supported"}, Unavailable, "Target GPU SM 90 is not"),
        ({"said": "Target GPU SM 61 is not supported by this TensorRT release"}, Unavailable, "Target GPU SM 61"),
        ({"said": "Error Code 2: OutOfMemory (Requested 8.0 GiB)"}, RuntimeError, "OutOfMemory"),
        ({"engine": SimpleNamespace(create_execution_context=lambda: None)}, Unavailable, "last words: none"),
    ],
)
def test_a_plan_that_the_gpu_does_not_take(given: dict, kind: type[Exception], text: str):
    words: list[str] = []
    with pytest.raises(kind, match=text) as caught:
        open_plan(RTX, Runtime(words, **given), b"plan", words)
    assert type(caught.value) is kind


def test_a_plan_that_the_gpu_takes():
    engine = SimpleNamespace(create_execution_context=lambda: "context")
    assert open_plan(RTX, Runtime([], engine=engine), b"plan", []) == (engine, "context")
    assert open_plan(RTX, Runtime([], engine=engine, validity=(0, 0)), b"plan", []) == (engine, "context")


def test_an_engine_that_makes_no_builder_for_this_gpu(tmp_path: Path):
    def builder(logger: object) -> None:
        logger.log(1, "Target GPU SM 61 is not supported\n by this TensorRT release.")
        raise TypeError("pybind11::init(): factory function returned nullptr")

    class Logger:
        ERROR, INTERNAL_ERROR = 1, 0

    engine = SimpleNamespace(Builder=builder, ILogger=Logger)
    with pytest.raises(Unavailable, match=r"makes no builder here .*Target GPU SM 61 is not supported by this"):
        build_plan(engine, tmp_path / FILE, Setup("cuda", "fp32", 1, 1, 32))


def test_onnxruntime_refuses_nothing_on_a_cpu():
    assert OnnxRuntime().refuses("cpu", "fp32") is None
