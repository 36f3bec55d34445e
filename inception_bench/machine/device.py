"""The GPU that a worker runs on: its memory, clocks and energy.

At import this file needs the standard library alone. A worker on a CPU does not import it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from inception_bench.machine import nvml
from inception_bench.machine.cuda import Buffer, Cuda, driver_problem
from inception_bench.processes.service import Unavailable

# How many times the size of the cache is written to empty it. More than once, in case a part of it is set aside.
_FLUSH_FACTOR = 2


class Device:
    """The GPU of this process. Raises Unavailable where there is none."""

    def __init__(self) -> None:
        problem = driver_problem()
        if problem is not None:
            raise Unavailable(problem)
        self._cuda = Cuda()
        self._free_before = self._least_free = self._cuda.free_and_total()[0]
        self._flushing: Buffer | None = None
        self.facts: dict[str, Any] = self._cuda.facts()
        self._gpu: nvml.Gpu | None = None
        self._silent = self._ask_nvml()

    def _ask_nvml(self) -> str:
        """Connect to NVML. Returns why that is not possible; empty where it is.

        A cell is timed without NVML too: power and clocks are extras.
        """
        if find_spec(nvml.MODULE) is None:
            return "nvidia-ml-py is not installed; pip install nvidia-ml-py"
        try:
            self._gpu = nvml.Gpu(self.facts["pci"])
        except nvml.NvmlError as error:
            return str(error)
        self.facts["driver"] = self._gpu.facts()["driver"]
        return ""

    def before_load(self) -> None:
        """Note the free memory just before an engine loads; the paired reference and others use some already."""
        self._free_before = self._cuda.free_and_total()[0]

    def begin_rounds(self) -> None:
        """Count the peak of memory from now on, as the timed rounds begin."""
        self._least_free = self._cuda.free_and_total()[0]

    def sample_memory(self) -> None:
        """Note the memory in use after a timed round: engines keep what a call needed, so this is the call's peak."""
        self._least_free = min(self._least_free, self._cuda.free_and_total()[0])

    def memory(self) -> dict[str, int]:
        """Bytes: the free memory before the engine loaded, less the least free memory after any timed round."""
        return {"mem_get_info_delta": self._free_before - self._least_free}

    def flush_l2(self) -> None:
        """Write more than the second-level cache holds, and wait."""
        if self._flushing is None:
            self._flushing = Buffer(self._cuda, _FLUSH_FACTOR * self._cuda.l2_bytes())
        self._flushing.clear()

    def window(self, call: Callable[[], None], seconds: float, batch_size: int) -> dict[str, Any]:
        """Call ``call`` again and again for at least ``seconds``.

        Returns what the card says before and in the middle of that time, and the joules per image.
        """
        if self._gpu is None:
            return {"nvml": self._silent}
        before, energy, middle, calls = self._gpu.facts(), self._gpu.energy_mj(), None, 0
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            call()
            calls += 1
            if middle is None and elapsed > seconds / 2:
                middle = self._gpu.facts()
        joules = nvml.energy_per_image_j(energy, self._gpu.energy_mj(), calls * batch_size)
        return {
            "before": before,
            "under_load": middle,
            "window_s": elapsed,
            "window_calls": calls,
            "energy_per_image_j": joules,
        }
