"""What a GPU says of itself through NVML (nvidia-ml-py): clocks, throttling, power, energy, memory.

Asked only in workers on a GPU, and never while a call is timed. A value that a card does not tell is None.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

MODULE = "pynvml"
# nvml.h, nvmlClocksEventReasons: why the clocks are not at their highest.
THROTTLE_REASONS = {
    0x1: "idle",
    0x2: "application_clocks",
    0x4: "power_cap",
    0x8: "hardware_slowdown",
    0x10: "sync_boost",
    0x20: "software_thermal",
    0x40: "hardware_thermal",
    0x80: "hardware_power_brake",
    0x100: "display_clocks",
}


def throttle_reasons(mask: int) -> list[str]:
    """The reasons that are set in NVML's mask, by name; an unknown reason is its bit in hexadecimal."""
    bits = [1 << place for place in range(mask.bit_length()) if mask >> place & 1]
    return [THROTTLE_REASONS.get(bit, hex(bit)) for bit in bits]


def energy_per_image_j(begin_mj: int | None, end_mj: int | None, images: int) -> float | None:
    """Joules per image, from the card's energy counter in millijoules before and after ``images`` images.

    None where the card has no such counter.
    """
    if begin_mj is None or end_mj is None or images <= 0:
        return None
    return (end_mj - begin_mj) / 1e3 / images


class NvmlError(RuntimeError):
    """NVML does not start on this machine, or does not know the card; the text quotes NVML."""


class Gpu:
    """NVML's view of the card at a PCI address. Raises NvmlError."""

    def __init__(self, pci: str):
        import pynvml

        self._nvml: Any = pynvml
        try:
            pynvml.nvmlInit()
            self._card = pynvml.nvmlDeviceGetHandleByPciBusId(pci)
        except pynvml.NVMLError as error:  # a container without the library, or one that hides the card
            raise NvmlError(f"NVML does not answer: {error}") from None

    def facts(self) -> dict[str, Any]:
        """The state of this moment: MHz, watts, degrees Celsius, bytes."""
        nvml, card = self._nvml, self._card
        mask = self._ask(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(card))
        milliwatts = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(card))
        return {
            "driver": self._ask(nvml.nvmlSystemGetDriverVersion),
            "sm_clock_mhz": self._ask(lambda: nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_SM)),
            "memory_clock_mhz": self._ask(lambda: nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_MEM)),
            "throttle_reasons": None if mask is None else throttle_reasons(mask),
            "power_w": None if milliwatts is None else milliwatts / 1e3,
            "temperature_c": self._ask(lambda: nvml.nvmlDeviceGetTemperature(card, nvml.NVML_TEMPERATURE_GPU)),
            "process_bytes": self._ask(self._process_bytes),
        }

    def energy_mj(self) -> int | None:
        """The card's energy counter, in millijoules since the driver was loaded."""
        counter: int | None = self._ask(lambda: self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._card))
        return counter

    def _process_bytes(self) -> int | None:
        running = self._nvml.nvmlDeviceGetComputeRunningProcesses(self._card)
        return next((entry.usedGpuMemory for entry in running if entry.pid == os.getpid()), None)

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except self._nvml.NVMLError:  # this card or this container does not say
            return None
