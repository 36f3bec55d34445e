"""Section ``ceilings``: the most that this machine gives. Every measured cell is judged as a share of these.

So the fastest way known is looked for: several shapes, both orders of memory, and the quickest of a few windows
beside the median. Values are random: a product of zeros draws less power, so clocks are higher.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from probe.device import DTYPES, Device, spread
from probe.task import Deadline, Progress, Task, words

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
PRODUCTS = {False: ((8192, 8192, 8192), (4096, 4096, 4096), (16384, 8192, 8192)), True: ((256, 256, 256),)}
COPY_BYTES = {False: (2**30, 2**32, 2**24), True: (2**24,)}
# A card at rest has a low clock: it is put to work for so long before the first window.
AWAKE_S = {False: 0.5, True: 0.05}
LAUNCHES = {False: 300, True: 50}
NO_TF32 = "a CPU has no TF32"
NO_INT8_CONVOLUTION = "eager torch has no int8 convolution on CUDA"


@dataclass(frozen=True)
class Convolution:
    """A convolution of the family: one image's map of ``grid`` x ``grid`` stays so (stride 1, "same" padding)."""

    name: str
    batch_size: int
    inputs: int
    outputs: int
    kernel: tuple[int, int]
    grid: int

    @property
    def padding(self) -> tuple[int, int]:
        return self.kernel[0] // 2, self.kernel[1] // 2

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one call: each output of each image takes inputs x kernel products."""
        kernel = self.kernel[0] * self.kernel[1]
        return self.batch_size * self.grid**2 * self.outputs * self.inputs * kernel


CONVOLUTIONS = {
    False: (
        Convolution("3x3 192-192 on 35x35", 128, 192, 192, (3, 3), 35),
        Convolution("1x7 192-192 on 17x17", 128, 192, 192, (1, 7), 17),
        Convolution("3x3 448-384 on 8x8", 128, 448, 384, (3, 3), 8),
        Convolution("1x1 1536-384 on 17x17", 128, 1536, 384, (1, 1), 17),
    ),
    True: (Convolution("3x3 16-16 on 17x17", 2, 16, 16, (3, 3), 17),),
}
FORMATS = {"nhwc": torch.channels_last, "nchw": torch.contiguous_format}


def run(task: Task, deadline: Deadline, progress: Progress) -> None:
    """Fill ``progress``; what the time did not suffice for is under ``left_out``."""
    device, value = Device(task.device), progress.value
    value.update(launch={}, copy=[], matrix_product=[], convolution=[], best={}, left_out=[])
    with torch.inference_mode():
        _wake(device, task.small)
        try:
            value["launch"] = launch(device, LAUNCHES[task.small])
        except Exception as error:
            value["launch"] = {"error": words(error)}
        progress.save()
        for kind, name, measure in _measures(device, task.small):
            if deadline.left() < 0:
                value["left_out"].append(f"{kind}: {name}")
                continue
            try:
                value[kind].append({"what": name, **measure()})
            except Exception as error:  # one shape that a library refuses leaves the others
                value[kind].append({"what": name, "error": words(error)})
            value["best"] = best(value)
            progress.save()


def _measures(device: Device, small: bool) -> Iterator[tuple[str, str, Any]]:
    """All that is measured, in the order of its value: section, name, and a function without arguments."""
    for size in COPY_BYTES[small]:
        yield "copy", f"{size} bytes", functools.partial(copy, device, size)
    yield "convolution", "int8", lambda: {"precision": "int8", "macs_s": None, "reason": NO_INT8_CONVOLUTION}
    products, convolutions = PRODUCTS[small], CONVOLUTIONS[small]
    yield from _products(device, products[:1])
    yield from _convolutions(device, convolutions[:1])
    yield from _products(device, products[1:])
    yield from _convolutions(device, convolutions[1:])


def _products(device: Device, shapes: tuple[tuple[int, int, int], ...]) -> Iterator[tuple[str, str, Any]]:
    for shape, precision, layout in itertools.product(shapes, (*PRECISIONS, "int8"), ("nt", "nn")):
        name = f"{precision} {'x'.join(map(str, shape))} {layout}"
        yield "matrix_product", name, functools.partial(product, device, precision, shape, layout)


def _convolutions(device: Device, shapes: tuple[Convolution, ...]) -> Iterator[tuple[str, str, Any]]:
    for shape, precision, order in itertools.product(shapes, PRECISIONS, FORMATS):
        name = f"{precision} {shape.name} {order}"
        yield "convolution", name, functools.partial(convolution, device, precision, shape, order)


def _wake(device: Device, small: bool) -> None:
    side = 128 if small else 1024
    a = torch.randn(side, side, device=device.kind)
    start = time.perf_counter()
    while time.perf_counter() - start < AWAKE_S[small]:
        for _ in range(20):
            a @ a
        device.synchronize()


def launch(device: Device, calls: int) -> dict[str, Any]:
    """What the host pays: a launch of the smallest operation and of an empty kernel, and waiting. Seconds per call."""
    one = torch.ones(1, device=device.kind)
    found = {
        "add_host_s": _host_window(device, lambda: one.add_(1), calls),
        "synchronise_idle_s": _host_window(device, device.synchronize, calls),
        "add_and_synchronise_s": _host_window(device, lambda: (one.add_(1), device.synchronize()), calls),
    }
    if not device.is_cuda:
        return {**found, "empty_kernel_host_s": None, "reason": "no kernels on a CPU"}
    return {
        **found,
        # A kernel that spins for no cycles: the emptiest that torch has.
        "empty_kernel_host_s": _host_window(device, lambda: torch.cuda._sleep(0), calls),
        "empty_kernel_device_s": device.measure(lambda: torch.cuda._sleep(0)),
    }


def _host_window(device: Device, call: Any, calls: int, repeats: int = 5) -> dict[str, Any]:
    """Host seconds per call of ``calls`` calls, without waiting for the device at the end."""
    values = []
    for _ in range(repeats):
        call()
        device.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        values.append((time.perf_counter() - start) / calls)
        device.synchronize()
    return spread(values)


def copy(device: Device, size: int) -> dict[str, Any]:
    """A copy within the device's memory. ``bytes_s`` counts what is read and what is written."""
    source = torch.randint(-(2**31), 2**31 - 1, (size // 4,), dtype=torch.int32, device=device.kind)
    target = torch.empty_like(source)
    latency = device.measure(lambda: target.copy_(source))
    moved = 2 * source.numel() * source.element_size()
    return {
        "bytes": moved,
        "latency_s": latency,
        "bytes_s": moved / latency["median_s"],
        "bytes_s_highest": moved / latency["min_s"],
    }


def product(device: Device, precision: str, shape: tuple[int, int, int], layout: str) -> dict[str, Any]:
    """A matrix product (M, K) by (K, N); ``nt`` has the second factor's columns in a row in memory."""
    m, n, k = shape
    if precision == "tf32" and not device.is_cuda:
        return {"precision": precision, "macs_s": None, "reason": NO_TF32}
    rows = (n, k) if layout == "nt" else (k, n)
    if precision == "int8":
        a, b = (torch.randint(-128, 128, size, dtype=torch.int8, device=device.kind) for size in ((m, k), rows))
    else:
        a, b = (torch.randn(size, device=device.kind).to(DTYPES[precision]) for size in ((m, k), rows))
    b = b.t() if layout == "nt" else b
    device.allow(tf32=precision != "fp32", benchmark=True)
    multiply = torch._int_mm if precision == "int8" else torch.mm
    return _rate(device, precision, m * n * k, lambda: multiply(a, b))


def convolution(device: Device, precision: str, shape: Convolution, memory_format: str) -> dict[str, Any]:
    """A convolution without bias, by the quickest algorithm that cuDNN's search finds."""
    if precision == "tf32" and not device.is_cuda:
        return {"precision": precision, "macs_s": None, "reason": NO_TF32}
    device.allow(tf32=precision != "fp32", benchmark=True)
    dtype, order = DTYPES[precision], FORMATS[memory_format]
    images = torch.randn(shape.batch_size, shape.inputs, shape.grid, shape.grid, device=device.kind)
    filters = torch.randn(shape.outputs, shape.inputs, *shape.kernel, device=device.kind)
    images, filters = (tensor.to(dtype).to(memory_format=order) for tensor in (images, filters))
    return _rate(
        device,
        precision,
        shape.macs,
        lambda: torch.nn.functional.conv2d(images, filters, padding=shape.padding),
    )


def _rate(device: Device, precision: str, macs: int, call: Any) -> dict[str, Any]:
    """``macs_s`` by the median window, ``macs_s_highest`` by the quickest."""
    latency = device.measure(call)
    return {
        "precision": precision,
        "macs": macs,
        "latency_s": latency,
        "macs_s": macs / latency["median_s"],
        "macs_s_highest": macs / latency["min_s"],
    }


def best(value: dict[str, Any]) -> dict[str, Any]:
    """By kind and precision the highest median rate, which entry gave it, and the highest window of all."""
    found: dict[str, Any] = {}
    for kind in ("matrix_product", "convolution"):
        entries = [entry for entry in value[kind] if entry.get("macs_s")]
        found[kind] = {
            precision: _highest([entry for entry in entries if entry["precision"] == precision], "macs_s")
            for precision in (*PRECISIONS, "int8")
            if any(entry["precision"] == precision for entry in entries)
        }
    # The smallest copy stays inside a GPU's cache: it is no measure of the memory.
    copies = [entry for entry in value["copy"] if entry.get("bytes_s")]
    if len(copies) > 1:
        copies = [entry for entry in copies if entry["bytes"] > 2**30]
    if copies:
        found["copy"] = _highest(copies, "bytes_s")
    return found


def _highest(entries: list[dict[str, Any]], rate: str) -> dict[str, Any]:
    first = max(entries, key=lambda entry: entry[rate])
    highest = max(entry[rate + "_highest"] for entry in entries)
    return {rate: first[rate], rate + "_highest": highest, "what": first["what"]}
