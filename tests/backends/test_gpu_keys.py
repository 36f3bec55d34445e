"""What is built for a GPU is found again by that kind of GPU, and no other; timings that cannot be used do no harm."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from inception_bench.backends import timings
from inception_bench.backends.base import Setup
from inception_bench.backends.registry import driver_problem, find_backend
from inception_bench.backends.tensorrt_plan import build_plan
from inception_bench.machine import cuda
from inception_bench.machine.processor import processor
from inception_bench.measure import identity
from inception_bench.measure.workshop import Workshop
from inception_bench.store.cache import Artifact, ArtifactCache
from tests.backends.conftest import LIMIT_S, small_case

GPUS = (("NVIDIA H100", "90"), ("NVIDIA H200", "90"), ("NVIDIA H100", "80"))


class Unbuilt(ArtifactCache):
    """A cache that tells the key under which a thing would lie, and builds nothing."""

    def get(self, kind, parts, build):
        return Artifact(Path(), super().get(kind, parts, lambda folder: None).key, "digest", 0, 0.0, False)


@pytest.fixture
def use_gpu(stub_driver: Path, monkeypatch: pytest.MonkeyPatch):
    """Put another GPU behind the driver. The stub answers nothing that needs a context on it."""

    def use(name: str, capability: str) -> None:
        monkeypatch.setenv("STUB_GPU", name)
        monkeypatch.setenv("STUB_CAPABILITY", capability)

    return use


def test_a_gpu_is_told_apart_without_a_context(use_gpu):
    use_gpu("NVIDIA H100", "90")
    assert cuda.device_identity() == {"name": "NVIDIA H100", "capability": "9.0", "driver_cuda": "13.0"}
    assert cuda.device_capability() == (9, 0)
    assert cuda.device_name() == "NVIDIA H100, driver for CUDA 13.0"


@pytest.mark.parametrize("backend", ["aot_inductor", "torchscript", "onnxruntime"])
def test_code_for_another_gpu_is_another_artifact(backend: str, engines: Path, tmp_path: Path, use_gpu):
    workshop, weights = Workshop(Unbuilt(tmp_path), LIMIT_S), Artifact(Path(), "", "weights", 0, 0.0, True)
    keys = {device: [] for device in ("cpu", "cuda")}
    for gpu in (*GPUS, GPUS[0]):
        use_gpu(*gpu)
        for device, found in keys.items():
            found.append(workshop.graph(small_case(backend, device=device), weights, Path()).key)
    first, *others, again = keys["cuda"]
    assert again == first
    assert len({first, *others}) == len(GPUS)
    assert len(set(keys["cpu"])) == 1  # what runs on the processor does not depend on the GPU beside it


def test_a_graph_that_engines_share_depends_on_no_gpu(engines: Path, tmp_path: Path, use_gpu):
    workshop, weights = Workshop(Unbuilt(tmp_path), LIMIT_S), Artifact(Path(), "", "weights", 0, 0.0, True)
    keys = set()
    for gpu in GPUS:
        use_gpu(*gpu)
        keys.add(workshop.graph(small_case("tensorrt_rtx", device="cuda"), weights, Path()).key)
    assert len(keys) == 1


def test_eager_s_answers_on_one_gpu_are_not_those_of_another(engines: Path, tmp_path: Path, use_gpu):
    workshop, weights = Workshop(ArtifactCache(tmp_path), LIMIT_S), Artifact(Path(), "", "weights", 0, 0.0, True)
    for number, gpu in enumerate(GPUS):
        use_gpu(*gpu)
        given = np.array([number])
        for _ in range(2):  # asked once, then kept
            found = workshop.answers(small_case("eager", device="cuda"), weights, "data", lambda given=given: given)
            given = np.array([99])
            assert found.tolist() == [number]


def test_where_the_gpu_is_plugged_in_is_no_part_of_it(engines: Path, use_gpu):
    use_gpu("NVIDIA H100", "90")
    gpu = {"name": "NVIDIA H100", "capability": "9.0"}
    assert identity.hardware(small_case("eager", device="cuda").runtime) == {**processor(), "gpu": gpu}
    assert identity.hardware(small_case("eager").runtime) == processor()


def test_timings_are_kept_by_gpu_driver_and_version(monkeypatch: pytest.MonkeyPatch):
    gpu = {"name": "NVIDIA H100 80GB HBM3", "capability": "9.0", "driver_cuda": "13.0"}
    monkeypatch.delenv(timings.FOLDER, raising=False)
    assert timings.timing_file(gpu, "10.9.0") is None
    monkeypatch.setenv(timings.FOLDER, "/kept")
    expected = Path("/kept/NVIDIA-H100-80GB-HBM3-sm9.0-cuda13.0-10.9.0.cache")
    assert timings.timing_file(gpu, "10.9.0") == expected
    for name in gpu:
        assert timings.timing_file({**gpu, name: "other"}, "10.9.0") != expected


class Config:
    """Stands for a builder's configuration: ``create_timing_cache`` as an engine has been seen to answer."""

    def __init__(self, made):
        self.made, self.asked, self.set = made, [], []

    def create_timing_cache(self, known: bytes):
        self.asked.append(known)
        return self.made(known)

    def set_timing_cache(self, cache, ignore_mismatch: bool) -> bool:
        self.set.append((cache, ignore_mismatch))
        return cache != "of another GPU"


def refuse(known: bytes) -> str:
    if known:
        raise RuntimeError("serialization: version tag does not match")
    return "empty"


@pytest.mark.parametrize(
    ("made", "asked", "used"),
    [
        (lambda known: "known" if known else "empty", [b"old"], ["known"]),
        (lambda known: None if known else "empty", [b"old", b""], ["empty"]),
        (refuse, [b"old", b""], ["empty"]),
        (lambda known: "of another GPU" if known else "empty", [b"old", b""], ["of another GPU", "empty"]),
        (lambda known: None, [b"old", b""], []),
    ],
)
def test_timings_that_cannot_be_used_are_begun_anew(tmp_path: Path, made, asked: list[bytes], used: list[str]):
    path, config = tmp_path / "cache", Config(made)
    path.write_bytes(b"old")
    timings.use_timings(config, path)
    assert config.asked == asked
    assert config.set == [(cache, False) for cache in used]


def test_timings_that_are_not_there_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    config = Config(lambda known: "empty")
    timings.use_timings(config, tmp_path / "cache")
    timings.keep_timings(SimpleNamespace(get_timing_cache=lambda: None), tmp_path / "cache")
    assert config.set == [("empty", False)]
    assert not (tmp_path / "cache").exists()
    assert capsys.readouterr().err == ""


def test_timings_are_written_whole_or_said_to_be_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = SimpleNamespace(get_timing_cache=lambda: SimpleNamespace(serialize=lambda: b"timed"))
    timings.keep_timings(kept, tmp_path / "folder" / "cache")
    assert (tmp_path / "folder" / "cache").read_bytes() == b"timed"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["cache"]
    (tmp_path / "file").write_text("in the way of a folder")
    timings.keep_timings(kept, tmp_path / "file" / "cache")
    assert "tensorrt: timings are not kept: " in capsys.readouterr().err


@pytest.mark.skipif(
    find_backend("tensorrt_rtx").missing() is not None or driver_problem() is None,
    reason="needs tensorrt-rtx, and no CUDA driver",
)
@pytest.mark.filterwarnings("ignore:.*Timing cache operations are no-ops:DeprecationWarning")
@pytest.mark.parametrize("state", ["missing", "corrupt", "unreadable"])
def test_a_real_build_outlives_its_timings(workshop: Workshop, tmp_path: Path, state: str):
    import tensorrt_rtx_bindings

    case = small_case("tensorrt_rtx", device="cuda")
    graph = workshop.graph(case, workshop.weights(case), workshop.images(case.network)).folder / "network.onnx"
    path = tmp_path / "timings"
    if state == "corrupt":
        path.write_bytes(b"the timings of another version")
    elif state == "unreadable":
        path.mkdir()
    plan = build_plan(tensorrt_rtx_bindings, graph, Setup("cuda", "fp32", 1, 2, 32), timings=path)
    assert len(plan) > 10_000
