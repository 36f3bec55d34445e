"""The device under test: how it waits, and how it tells time. The only place where CUDA and the CPU differ."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
REPEATS = 5
WARM_CALLS = 2
MOST_CALLS = 100
Call = Callable[[], Any]


class Device:
    """``cuda`` (events tell device time) or ``cpu`` (a call runs to its end by itself)."""

    def __init__(self, kind: str):
        self.kind = kind
        self.is_cuda = kind == "cuda"
        if self.is_cuda:
            torch.cuda.synchronize()  # the first use makes the context: here, before any clock

    def synchronize(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize()

    def seconds(self, call: Call, calls: int = 1) -> float:
        """Device seconds per call of ``calls`` calls in a row. Begins and ends with an idle device."""
        self.synchronize()
        if not self.is_cuda:
            return _host_seconds(call, calls)
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(calls):
            call()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / 1e3 / calls

    def host_and_device_s(self, call: Call) -> tuple[float, float]:
        """One call: host seconds until synchronised, and device seconds between two events around it."""
        self.synchronize()
        if not self.is_cuda:
            seconds = _host_seconds(call, 1)
            return seconds, seconds
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start = time.perf_counter()
        begin.record()
        call()
        end.record()
        torch.cuda.synchronize()
        host = time.perf_counter() - start
        return host, begin.elapsed_time(end) / 1e3

    def measure(self, call: Call, window_s: float = 0.01, repeats: int = REPEATS) -> dict[str, Any]:
        """Device seconds per call: warmed up, ``repeats`` windows of about ``window_s``, with their spread."""
        for _ in range(WARM_CALLS):
            call()
        once = self.seconds(call)
        calls = max(1, min(MOST_CALLS, int(window_s / max(once, 1e-9))))
        return {**spread([self.seconds(call, calls) for _ in range(repeats)]), "calls": calls, "repeats": repeats}

    def allow(self, *, tf32: bool = False, benchmark: bool = False, deterministic: bool = False) -> None:
        """What cuDNN and cuBLAS may do from here on."""
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = benchmark
        torch.backends.cudnn.deterministic = deterministic


def _host_seconds(call: Call, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def spread(seconds: list[float]) -> dict[str, Any]:
    """The least, median and largest of some durations."""
    return {"min_s": min(seconds), "median_s": statistics.median(seconds), "max_s": max(seconds)}
