"""What a worker says of its GPU where the driver is there and NVML is not: a stub stands for the CUDA driver."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from inception_bench import builder
from inception_bench.machine import device as device_module
from inception_bench.machine import nvml
from inception_bench.machine.cuda import Buffer
from inception_bench.worker import Worker


class StubCuda:
    """A card of 80 GB, of which ``free`` bytes are free."""

    free = 70_000_000_000

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def call(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *(getattr(argument, "value", None) for argument in arguments)))

    def l2_bytes(self) -> int:
        return 50 << 20

    def facts(self) -> dict[str, Any]:
        return {"name": "a card", "capability": "9.0", "pci": "0000:01:00.0", "memory_bytes": 80_000_000_000}

    def free_and_total(self) -> tuple[int, int]:
        return self.free, 80_000_000_000


class NotThere(Exception):
    """Stands for pynvml.NVMLError."""


def silent_nvml() -> ModuleType:
    """A pynvml as in a container without the driver's NVML library."""
    module: Any = ModuleType("pynvml")
    module.__spec__ = SimpleNamespace(name="pynvml")
    module.NVMLError = NotThere

    def init() -> None:
        raise NotThere("NVML Shared Library Not Found")

    module.nvmlInit = init
    return module


class Recorder:
    """A session that tells the order of what it is asked."""

    def __init__(self) -> None:
        self.order: list[str] = []

    def run(self, batch: Any) -> Any:
        self.order.append("run")
        return batch

    def synchronize(self) -> None:
        self.order.append("synchronize")

    def reset_device_peak(self) -> None:
        self.order.append("reset peak")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> device_module.Device:
    monkeypatch.setattr(device_module, "driver_problem", lambda: None)
    monkeypatch.setattr(device_module, "Cuda", StubCuda)
    monkeypatch.setitem(sys.modules, nvml.MODULE, silent_nvml())
    return device_module.Device()


def test_a_card_whose_nvml_does_not_start_is_measured_without_it(device: device_module.Device):
    """A cell was lost with a traceback; now the reason stands where clocks and energy would."""
    assert device.facts["name"] == "a card"
    assert "driver" not in device.facts
    calls: list[int] = []
    found = device.window(lambda: calls.append(1), 5.0, 8)
    assert found == {"nvml": "NVML does not answer: NVML Shared Library Not Found"}
    assert calls == []  # a window is for power and energy; nobody waits for none


def test_a_host_without_the_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device_module, "driver_problem", lambda: None)
    monkeypatch.setattr(device_module, "Cuda", StubCuda)
    monkeypatch.setitem(sys.modules, nvml.MODULE, None)
    found = device_module.Device().window(lambda: None, 5.0, 8)
    assert found == {"nvml": "nvidia-ml-py is not installed; pip install nvidia-ml-py"}


def worker_of(device: device_module.Device | None, l2: str) -> tuple[Worker, Recorder]:
    worker, session = Worker(), Recorder()
    worker.device, worker.session = device, session
    worker.host_batch = worker.batch = np.zeros((1, 3, 2, 2), np.float32)
    worker.begin({"l2": l2})
    return worker, session


def test_a_call_that_does_not_count_comes_before_each_timed_one(device: device_module.Device):
    """The paired process ran just before: its maps lie in the cache, and the GPU is switched to it."""
    worker, session = worker_of(device, "warm")
    assert session.order == ["reset peak"]
    worker.round({})
    primed, timed = ["run", "synchronize"], ["synchronize", "run", "synchronize"]
    assert session.order == ["reset peak", *primed, *timed]
    assert worker.on_device({"rounds": 0, "window_s": 0})[0]["device"]["l2"].startswith("warm: an untimed call")


def test_without_a_gpu_only_the_timed_call_is_made():
    worker, session = worker_of(None, "warm")
    worker.round({})
    assert session.order == ["synchronize", "run", "synchronize"]


def test_a_cold_cache_is_written_over_after_the_call_that_does_not_count(device: device_module.Device):
    """50 MiB of cache: 100 MiB are written, once a round, into one buffer."""
    worker, session = worker_of(device, "cold")
    cuda: Any = device._cuda
    cuda.calls.clear()
    before = len(session.order)
    worker.round({})
    worker.round({})
    assert [call[0] for call in cuda.calls] == [
        "cuMemAlloc_v2", "cuMemsetD8_v2", "cuCtxSynchronize", "cuMemsetD8_v2", "cuCtxSynchronize",
    ]  # fmt: skip
    assert cuda.calls[1][2:] == (0, 100 << 20)
    assert session.order[before:].count("run") == 4
    assert worker.on_device({"rounds": 0, "window_s": 0})[0]["device"]["l2"].startswith("cold: ")


def test_device_memory_is_the_peak_over_the_rounds(device: device_module.Device):
    """70 GB are free before loading; the search for algorithms left 50, the rounds 64, 61 and 63: the peak is 9 GB."""
    cuda: Any = device._cuda
    for free, step in (
        (70e9, device.before_load), (50e9, lambda: None), (64e9, device.begin_rounds), (61e9, device.sample_memory),
        (63e9, device.sample_memory), (69e9, lambda: None),
    ):  # fmt: skip
        cuda.free = int(free)
        step()
    assert device.memory() == {"mem_get_info_delta": 9_000_000_000}


def test_a_buffer_is_cleared_by_the_driver():
    cuda: Any = StubCuda()
    Buffer(cuda, 4096).clear()
    assert [call[0] for call in cuda.calls] == ["cuMemAlloc_v2", "cuMemsetD8_v2", "cuCtxSynchronize"]
    assert cuda.calls[1][2:] == (0, 4096)


@pytest.mark.parametrize(("initialised", "emptied"), [(True, 1), (False, 0)])
def test_the_builder_gives_device_memory_back(monkeypatch: pytest.MonkeyPatch, initialised: bool, emptied: int):
    """Only where a device is in use: emptying would else make a context of its own."""
    calls: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: initialised)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: calls.append(1))
    builder.free_device_memory()
    assert len(calls) == emptied
