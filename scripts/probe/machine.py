"""Section ``machine``: what the host and its GPU are, and what NVML says of it, idle and at work.

Only asks. What is not answered is kept in the words of the refusal.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from probe.device import Device
from probe.task import Deadline, Progress, Task, words

LOAD_S = {False: 0.7, True: 0.1}
LOAD_SIDE = {False: 4096, True: 256}
POLL_S = 0.005
EARLY_S = 0.05  # after which a first look shows a card that has just been put to work
PACKAGES = ("numpy", "triton", "onnx", "onnxruntime", "tensorrt", "tensorrt_rtx", "fvcore", "platformdirs", "psutil")
PROPERTIES = (
    *("name", "major", "minor", "multi_processor_count", "total_memory", "L2_cache_size", "uuid"),
    *("shared_memory_per_block_optin", "regs_per_multiprocessor", "warp_size", "max_threads_per_multi_processor"),
)


def ask(question: Callable[[], Any]) -> Any:
    """The answer, or the words of the refusal."""
    try:
        return question()
    except Exception as error:  # whatever a driver raises is the finding
        return {"error": words(error)}


def run(task: Task, deadline: Deadline, progress: Progress) -> None:
    """Fill ``progress`` with the host, the GPU, NVML idle, and NVML under load."""
    value = progress.value
    value["host"] = _host()
    progress.save()
    value["nvml"] = ask(_nvml_idle)
    progress.save()
    device = Device(task.device)
    value["gpu"] = _gpu() if device.is_cuda else {"reason": "the device is the CPU"}
    progress.save()
    value["under_load"] = ask(lambda: _under_load(device, task.small))


def _host() -> dict[str, Any]:
    return {
        "cpu": ask(_cpu_name),
        "logical_cores": os.cpu_count(),
        "usable_cores": ask(lambda: len(os.sched_getaffinity(0))),
        "system": platform.platform(),
        "memory_bytes": ask(lambda: os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        "load_average": ask(lambda: list(os.getloadavg())),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "packages": {name: ask(lambda name=name: str(_version(name))) for name in PACKAGES},
        "compiler": ask(_compiler),
    }


def _cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(module: str) -> str:
    from importlib.metadata import version

    return version(module.replace("_", "-"))


def _compiler() -> str | None:
    from shutil import which

    return which("g++") or which("c++")


def _gpu() -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(0)
    free, total = torch.cuda.mem_get_info()
    return {
        **{name: ask(lambda name=name: _plain(getattr(properties, name, None))) for name in PROPERTIES},
        "memory_free_bytes": free,
        "memory_total_bytes": total,
        "cudnn": ask(torch.backends.cudnn.version),
        "bf16": ask(torch.cuda.is_bf16_supported),
        "triton": ask(lambda: str(import_module("triton").__version__)),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


class Nvml:
    """NVML's first card. Raises what ``nvmlInit`` raises."""

    def __init__(self) -> None:
        self.api: Any = import_module("pynvml")
        self.api.nvmlInit()
        self.card = self.api.nvmlDeviceGetHandleByIndex(0)

    def state(self) -> dict[str, Any]:
        """What changes with load, in SI units and degrees Celsius; a question that is refused gives its words."""
        api, card = self.api, self.card
        return {
            "sm_clock_hz": ask(lambda: api.nvmlDeviceGetClockInfo(card, api.NVML_CLOCK_SM) * 10**6),
            "memory_clock_hz": ask(lambda: api.nvmlDeviceGetClockInfo(card, api.NVML_CLOCK_MEM) * 10**6),
            "throttle_mask": ask(lambda: api.nvmlDeviceGetCurrentClocksThrottleReasons(card)),
            "throttle_reasons": ask(lambda: _reasons(api.nvmlDeviceGetCurrentClocksThrottleReasons(card))),
            "event_mask": ask(lambda: api.nvmlDeviceGetCurrentClocksEventReasons(card)),
            "power_w": ask(lambda: api.nvmlDeviceGetPowerUsage(card) / 1e3),
            "temperature_c": ask(lambda: api.nvmlDeviceGetTemperature(card, api.NVML_TEMPERATURE_GPU)),
            "energy_j": ask(self.energy_j),
            "utilisation": ask(lambda: api.nvmlDeviceGetUtilizationRates(card).gpu / 100),
            "memory_used_bytes": ask(lambda: api.nvmlDeviceGetMemoryInfo(card).used),
            "processes": ask(self.processes),
        }

    def energy_j(self) -> float:
        return self.api.nvmlDeviceGetTotalEnergyConsumption(self.card) / 1e3

    def processes(self) -> list[dict[str, Any]]:
        """Who uses the card. The numbers may be those of another namespace than this process's."""
        running = self.api.nvmlDeviceGetComputeRunningProcesses(self.card)
        return [
            {"pid": entry.pid, "used_bytes": entry.usedGpuMemory, "self": entry.pid == os.getpid()} for entry in running
        ]

    def facts(self) -> dict[str, Any]:
        """What stays as it is."""
        api, card = self.api, self.card
        return {
            "driver": ask(lambda: _text(api.nvmlSystemGetDriverVersion())),
            "cuda_driver": ask(lambda: api.nvmlSystemGetCudaDriverVersion_v2()),
            "name": ask(lambda: _text(api.nvmlDeviceGetName(card))),
            "max_sm_clock_hz": ask(lambda: api.nvmlDeviceGetMaxClockInfo(card, api.NVML_CLOCK_SM) * 10**6),
            "max_memory_clock_hz": ask(lambda: api.nvmlDeviceGetMaxClockInfo(card, api.NVML_CLOCK_MEM) * 10**6),
            "application_clock_hz": ask(
                lambda: api.nvmlDeviceGetApplicationsClock(card, api.NVML_CLOCK_GRAPHICS) * 10**6
            ),
            "power_limit_w": ask(lambda: api.nvmlDeviceGetEnforcedPowerLimit(card) / 1e3),
            "persistence": ask(lambda: api.nvmlDeviceGetPersistenceMode(card)),
            "mig": ask(lambda: list(api.nvmlDeviceGetMigMode(card))),
            "compute_mode": ask(lambda: api.nvmlDeviceGetComputeMode(card)),
            "ecc": ask(lambda: list(api.nvmlDeviceGetEccMode(card))),
            "pcie": ask(
                lambda: [api.nvmlDeviceGetCurrPcieLinkGeneration(card), api.nvmlDeviceGetCurrPcieLinkWidth(card)]
            ),
        }


def _reasons(mask: int) -> list[str]:
    from inception_bench.machine.nvml import throttle_reasons

    return throttle_reasons(mask)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _nvml_idle() -> dict[str, Any]:
    nvml = ask(Nvml)
    if isinstance(nvml, dict):
        return nvml
    return {"facts": nvml.facts(), "idle": nvml.state()}


def _under_load(device: Device, small: bool) -> dict[str, Any]:
    """A matrix product again and again, while another thread reads the energy counter and, once, the state."""
    side = LOAD_SIDE[small]
    dtype = torch.bfloat16 if device.is_cuda else torch.float32
    a, b = (torch.randn(side, side, device=device.kind).to(dtype) for _ in range(2))
    nvml = ask(Nvml)
    watch = None if isinstance(nvml, dict) else _Watch(nvml)
    if watch is not None:
        watch.start()
    start, products = time.perf_counter(), 0
    while time.perf_counter() - start < LOAD_S[small]:
        for _ in range(20):
            a @ b
        device.synchronize()
        products += 20
    load_s = time.perf_counter() - start
    value: dict[str, Any] = {"load_s": load_s, "products": products, "macs_s": products * side**3 / load_s}
    if watch is None:
        return {**value, "nvml": nvml}
    watch.stop.set()
    watch.join(2)
    return {**value, **watch.found}


class _Watch(threading.Thread):
    """Reads the energy counter every few milliseconds: how often it moves, and what it says of the power."""

    def __init__(self, nvml: Nvml):
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.found: dict[str, Any] = {}
        self._nvml = nvml

    def run(self) -> None:
        moments: list[tuple[float, float]] = []
        begin = time.perf_counter()
        while not self.stop.wait(POLL_S):
            energy = ask(self._nvml.energy_j)
            if isinstance(energy, dict):
                self.found["energy"] = energy
            elif not moments or energy != moments[-1][1]:
                moments.append((time.perf_counter() - begin, energy))
            if "state" not in self.found and time.perf_counter() - begin > EARLY_S:
                self.found["state"] = self._nvml.state()
        # The state read last has the clocks and the power of a card that has been at work for a while.
        self.found["state_last"] = self._nvml.state()
        self.found.update(energy_counter(moments))


def energy_counter(moments: list[tuple[float, float]]) -> dict[str, Any]:
    """Mean power and mean interval between changes, from the moments (s) at which the counter (J) had changed.

    The first reading is no change: the interval it began in was under way already.
    """
    changes = moments[1:]
    if len(changes) < 2:
        return {"energy_changes": len(changes), "energy_interval_s": None, "energy_power_w": None}
    lasted = changes[-1][0] - changes[0][0]
    return {
        "energy_changes": len(changes),
        "energy_interval_s": lasted / (len(changes) - 1),
        "energy_power_w": (changes[-1][1] - changes[0][1]) / lasted,
    }
