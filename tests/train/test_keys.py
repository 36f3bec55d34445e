"""What was trained on one device is not taken for what another would make of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from inception_bench.machine import cuda
from inception_bench.measure import training
from inception_bench.measure.training import COURSE, Training, on_one_device, training_identity
from inception_bench.store.cache import ArtifactCache
from inception_bench.train.job import Machine

H100, A100 = {"name": "NVIDIA H100", "capability": "9.0"}, {"name": "NVIDIA A100", "capability": "8.0"}


@pytest.fixture
def gpu(monkeypatch):
    """Which GPU the driver tells of; none to begin with."""
    told: dict[str, str] = {}
    monkeypatch.setattr(training, "device_identity", lambda: dict(told))
    monkeypatch.setattr(training, "driver_problem", lambda: None if told else "no CUDA device")
    return told


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Courses that are noted in place of being trained."""
    noted: list[Machine] = []
    made = Training(ArtifactCache(tmp_path), 10.0)

    def follow(job, folder, work):
        noted.append(job.machine)
        (folder / COURSE).write_text(json.dumps({"training": len(noted)}))

    monkeypatch.setattr(made, "_follow", follow)
    return lambda job: made.course(job)["training"], noted


def on(job, device: str, precision: str = "32-true", threads: int = 1):
    return replace(job, machine=Machine(device, precision, threads))


def test_each_device_and_precision_trains_for_itself_and_once(tiny, gpu, trained):
    course, _ = trained
    job = tiny()
    assert [course(on(job, "cpu")), course(on(job, "cpu", threads=2)), course(on(job, "cpu", "bf16-mixed"))] == [
        1,
        1,
        2,
    ]
    gpu.update(H100)
    assert [course(on(job, "cuda")), course(on(job, "cuda", "tf32")), course(on(job, "cuda", "bf16-mixed"))] == [
        3,
        4,
        5,
    ]
    gpu.update(A100)
    assert course(on(job, "cuda")) == 6
    gpu.update({**A100, "capability": "8.6"})
    assert course(on(job, "cuda")) == 7
    gpu.update(H100)
    # What a CPU made holds beside any GPU.
    assert [course(on(job, "cuda")), course(on(job, "cpu"))] == [3, 1]


def test_auto_is_found_out_before_anything_is_looked_up(tiny, gpu, trained):
    course, noted = trained
    job = tiny()
    with pytest.raises(ValueError, match="device auto names no device yet"):
        training_identity(on(job, "auto"))
    assert course(on(job, "auto")) == 1
    gpu.update(H100)
    assert course(on(job, "auto")) == 2
    assert course(on(job, "cuda")) == 2
    assert [machine.device for machine in noted] == ["cpu", "cuda"]
    assert on_one_device(on(job, "cpu")) == on(job, "cpu")


class Driver:
    """The driver's functions as cuda.h has them, for a card of compute capability 8.6."""

    def cuDeviceGet(self, device, ordinal):
        device._obj.value = ordinal

    def cuDeviceGetName(self, name, size, device):
        name.value = b"NVIDIA A10G"

    def cuDeviceGetAttribute(self, value, attribute, device):
        # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR is 75, _MINOR 76.
        value._obj.value = {75: 8, 76: 6}[attribute]

    def cuDriverGetVersion(self, version):
        version._obj.value = 13000


def test_the_driver_tells_name_and_capability_without_a_context(monkeypatch):
    monkeypatch.setattr(cuda, "driver_problem", lambda: None)
    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda _: Driver())
    assert cuda.device_identity() == {"name": "NVIDIA A10G", "capability": "8.6", "driver_cuda": "13.0"}
    monkeypatch.setattr(cuda, "driver_problem", lambda: "no CUDA driver")
    assert cuda.device_identity() is None
