"""What a worker says of its GPU where the driver is there and NVML is not: a stub stands for the CUDA driver."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from inception_bench.backends import hardware, nvml


class StubCuda:
    """A card of 80 GB, of which ``free`` bytes are free."""

    free = 70_000_000_000

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


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> hardware.Device:
    monkeypatch.setattr(hardware, "driver_problem", lambda: None)
    monkeypatch.setattr(hardware, "Cuda", StubCuda)
    monkeypatch.setitem(sys.modules, nvml.MODULE, silent_nvml())
    return hardware.Device()


def test_a_card_whose_nvml_does_not_start_is_measured_without_it(device: hardware.Device):
    """A cell was lost with a traceback; now the reason stands where clocks and energy would."""
    assert device.facts["name"] == "a card"
    assert "driver" not in device.facts
    calls: list[int] = []
    found = device.window(lambda: calls.append(1), 5.0, 8)
    assert found == {"nvml": "NVML does not answer: NVML Shared Library Not Found"}
    assert calls == []  # a window is for power and energy; nobody waits for none


def test_a_host_without_the_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hardware, "driver_problem", lambda: None)
    monkeypatch.setattr(hardware, "Cuda", StubCuda)
    monkeypatch.setitem(sys.modules, nvml.MODULE, None)
    found = hardware.Device().window(lambda: None, 5.0, 8)
    assert found == {"nvml": "nvidia-ml-py is not installed; pip install nvidia-ml-py"}
