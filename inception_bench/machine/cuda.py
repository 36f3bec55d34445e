"""The CUDA driver, called by ctypes: enough to run an engine, to time it and to ask for memory. Standard library only.

It is called directly because an engine's interpreter need not have torch. Names and constants are those of the CUDA
driver API (cuda.h); where the header renames a function, its name in the library ends in ``_v2``. The device's primary
context is used, as the engines' own runtimes use that one too.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char, c_char_p, c_float, c_int, c_size_t, c_ubyte, c_uint64, c_void_p
from functools import cache
from typing import Any

LIBRARY = "libcuda.so.1"
REMEDY = "install the NVIDIA driver, on a machine with an NVIDIA GPU"
_CAPABILITY = (75, 76)  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
_L2_BYTES = 38  # CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE
_CAPTURE_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING
_OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY


class CudaError(RuntimeError):
    """A call of the driver failed."""


@cache
def driver_problem() -> str | None:
    """Why no CUDA device can be used on this machine, or None where one can. Makes no context."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return f"no CUDA driver ({LIBRARY} is not there)"
    code = library.cuInit(0)
    if code:
        return f"no CUDA driver that works (cuInit: {_error_name(library, code)})"
    count = c_int()
    library.cuDeviceGetCount(byref(count))
    return None if count.value else "no CUDA device (the driver shows none)"


def device_identity() -> dict[str, str] | None:
    """The first device's name, compute capability and driver's CUDA version; None without a device.

    Code that is compiled for a device depends on these, and not on where the device is plugged in. Makes no context.
    """
    if driver_problem() is not None:
        return None
    library, device, name, version = ctypes.CDLL(LIBRARY), c_int(), (c_char * 256)(), c_int()
    library.cuDeviceGet(byref(device), 0)
    library.cuDeviceGetName(name, 256, device)
    library.cuDriverGetVersion(byref(version))
    return {
        "name": name.value.decode(),
        "capability": "{}.{}".format(*_capability(library, device)),
        "driver_cuda": _version_text(version.value),
    }


def this_device() -> dict[str, str]:
    """``device_identity`` where there must be a device. Raises CudaError without one."""
    identity = device_identity()
    if identity is None:
        raise CudaError(driver_problem())
    return identity


def device_capability() -> tuple[int, int]:
    """The first device's compute capability, such as (9, 0). Makes no context. Raises CudaError without one."""
    major, minor = this_device()["capability"].split(".")
    return int(major), int(minor)


def _capability(library: Any, device: c_int) -> tuple[int, int]:
    version = [c_int(), c_int()]
    for number, attribute in zip(version, _CAPABILITY, strict=True):
        library.cuDeviceGetAttribute(byref(number), attribute, device)
    return version[0].value, version[1].value


def device_name() -> str | None:
    """The first device and the CUDA version of its driver, in words; None without a device. Makes no context."""
    identity = device_identity()
    if identity is None:
        return None
    return f"{identity['name']}, driver for CUDA {identity['driver_cuda']}"


def _version_text(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _error_name(library: Any, code: int) -> str:
    text = c_char_p()
    library.cuGetErrorName(code, byref(text))
    return text.value.decode() if text.value else str(code)


class Cuda:
    """The first visible device and its primary context, current in this thread."""

    def __init__(self) -> None:
        problem = driver_problem()
        if problem is not None:
            raise CudaError(problem)
        self._library = ctypes.CDLL(LIBRARY)
        self._device = c_int()
        self._context = c_void_p()
        self.call("cuDeviceGet", byref(self._device), 0)
        self.call("cuDevicePrimaryCtxRetain", byref(self._context), self._device)
        self.call("cuCtxSetCurrent", self._context)

    def call(self, name: str, *arguments: Any) -> None:
        """Call the driver. Raises CudaError; where memory ran out, its text says how much was asked for."""
        code = getattr(self._library, name)(*arguments)
        if code == _OUT_OF_MEMORY and name.startswith("cuMemAlloc"):
            raise CudaError(f"out of memory (asked {arguments[1].value / 2**30:.2f} GiB)")
        if code:
            raise CudaError(f"{name}: {_error_name(self._library, code)}")

    def free_and_total(self) -> tuple[int, int]:
        """Free bytes and all bytes of the device's memory; memory that any process uses is not free."""
        free, total = c_size_t(), c_size_t()
        self.call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value, total.value

    def capability(self) -> tuple[int, int]:
        """The compute capability, such as (9, 0)."""
        return _capability(self._library, self._device)

    def l2_bytes(self) -> int:
        """The size of the second-level cache, in bytes."""
        size = c_int()
        self.call("cuDeviceGetAttribute", byref(size), _L2_BYTES, self._device)
        return size.value

    def facts(self) -> dict[str, Any]:
        """The device's name, compute capability, PCI address, memory, and the CUDA version of its driver."""
        name, address, version = (c_char * 256)(), (c_char * 32)(), c_int()
        self.call("cuDeviceGetName", name, 256, self._device)
        self.call("cuDeviceGetPCIBusId", address, 32, self._device)
        self.call("cuDriverGetVersion", byref(version))
        return {
            "name": name.value.decode(),
            "capability": "{}.{}".format(*self.capability()),
            "pci": address.value.decode(),
            "memory_bytes": self.free_and_total()[1],
            "driver_cuda": _version_text(version.value),
        }


class Buffer:
    """Memory on the device; its ``address`` is given to engines."""

    def __init__(self, cuda: Cuda, size_bytes: int):
        self._cuda = cuda
        self.size_bytes = size_bytes
        self._pointer = c_uint64()
        cuda.call("cuMemAlloc_v2", byref(self._pointer), c_size_t(size_bytes))

    @property
    def address(self) -> int:
        return self._pointer.value

    def fill(self, host: Any, stream: Stream) -> None:
        """Copy a contiguous NumPy array to the device, and wait until the host's memory is read."""
        size, source = c_size_t(host.nbytes), c_void_p(host.ctypes.data)
        self._cuda.call("cuMemcpyHtoDAsync_v2", self._pointer, source, size, stream.handle)
        stream.synchronize()

    def read(self, host: Any, stream: Stream) -> None:
        """Copy from the device into a contiguous NumPy array."""
        size, target = c_size_t(host.nbytes), c_void_p(host.ctypes.data)
        self._cuda.call("cuMemcpyDtoHAsync_v2", target, self._pointer, size, stream.handle)
        stream.synchronize()

    def clear(self) -> None:
        """Fill the whole buffer with zeros, and wait until they are written."""
        self._cuda.call("cuMemsetD8_v2", self._pointer, c_ubyte(0), c_size_t(self.size_bytes))
        self._cuda.call("cuCtxSynchronize")

    def free(self) -> None:
        if self._pointer.value:
            self._cuda.call("cuMemFree_v2", self._pointer)
            self._pointer = c_uint64()


class Stream:
    """A queue of work on the device."""

    def __init__(self, cuda: Cuda):
        self._cuda = cuda
        self.handle = c_void_p()
        cuda.call("cuStreamCreate", byref(self.handle), _NON_BLOCKING)

    @property
    def address(self) -> int:
        return self.handle.value or 0

    def synchronize(self) -> None:
        self._cuda.call("cuStreamSynchronize", self.handle)

    def capture(self, enqueue: Any) -> Graph:
        """Record all work that ``enqueue()`` puts on this stream as a graph, which can then be launched at once."""
        captured, graph = c_void_p(), Graph(self._cuda, self)
        self._cuda.call("cuStreamBeginCapture_v2", self.handle, _CAPTURE_THREAD_LOCAL)
        enqueue()
        self._cuda.call("cuStreamEndCapture", self.handle, byref(captured))
        self._cuda.call("cuGraphInstantiateWithFlags", byref(graph.handle), captured, c_uint64(0))
        return graph


class Graph:
    """Recorded work, which one launch starts in place of many."""

    def __init__(self, cuda: Cuda, stream: Stream):
        self._cuda = cuda
        self._stream = stream
        self.handle = c_void_p()

    def launch(self) -> None:
        self._cuda.call("cuGraphLaunch", self.handle, self._stream.handle)


class EventClock:
    """A DeviceClock (see ``backends.base``), made of two events on a stream."""

    def __init__(self, cuda: Cuda, stream: Stream):
        self._cuda = cuda
        self._stream = stream
        self._events = [c_void_p(), c_void_p()]
        for event in self._events:
            cuda.call("cuEventCreate", byref(event), 0)

    def start(self) -> None:
        self._cuda.call("cuEventRecord", self._events[0], self._stream.handle)

    def stop(self) -> None:
        self._cuda.call("cuEventRecord", self._events[1], self._stream.handle)

    def seconds(self) -> float:
        milliseconds = c_float()
        self._cuda.call("cuEventElapsedTime", byref(milliseconds), *self._events)
        return milliseconds.value / 1e3
