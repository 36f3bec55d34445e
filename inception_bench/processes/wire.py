"""Messages between the coordinator and its processes: a JSON header, then raw arrays.

A message is eight bytes (big-endian length of the header), the header as UTF-8 JSON, and the bytes
of the arrays that the header's ``arrays`` describes. Nothing is pickled. Standard library and NumPy
only, as other interpreters import this.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

_LENGTH = struct.Struct(">Q")


class Reader(Protocol):
    """Anything that bytes can be read from; ``read`` returns no bytes only where the other process has gone."""

    def read(self, count: int, /) -> bytes: ...


class Writer(Protocol):
    """Anything that bytes can be written to."""

    def write(self, data: bytes, /) -> Any: ...
    def flush(self) -> Any: ...


def send(stream: Writer, header: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    """Write one message."""
    whole = [np.ascontiguousarray(array) for array in arrays]
    described = [{"dtype": array.dtype.str, "shape": array.shape} for array in whole]
    encoded = json.dumps({**header, "arrays": described}).encode()
    stream.write(_LENGTH.pack(len(encoded)) + encoded)
    for array in whole:
        stream.write(array.tobytes())
    stream.flush()


def receive(stream: Reader) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read one message. Raises EOFError where the other process has gone."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    header = json.loads(_exactly(stream, length))
    arrays = []
    for described in header.pop("arrays"):
        dtype, shape = np.dtype(described["dtype"]), tuple(described["shape"])
        count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        arrays.append(np.frombuffer(_exactly(stream, count), dtype).reshape(shape))
    return header, arrays


def _exactly(stream: Reader, count: int) -> bytes:
    chunks = []
    while count:
        chunk = stream.read(count)
        if not chunk:
            raise EOFError("the other process closed the connection")
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)
