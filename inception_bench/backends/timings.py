"""What TensorRT timed in earlier builds, kept in a file: the next build asks the GPU for less.

Such a file is a convenience: without it, or with one that cannot be used, a build takes longer and is as good.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "INCEPTION_BENCH_TIMINGS"


def timing_file(gpu: Mapping[str, str], version: str) -> Path | None:
    """Where builds by ``version`` of the engine on such a GPU keep their timings; None where no folder is named.

    ``gpu`` is as ``device_identity`` tells it: the driver's CUDA version decides which kernels there are.
    """
    folder = os.environ.get(FOLDER)
    if not folder:
        return None
    gpu_text = f"{gpu['name']}-sm{gpu['capability']}-cuda{gpu['driver_cuda']}".replace(" ", "-").replace("/", "-")
    return Path(folder) / f"{gpu_text}-{version}.cache"


def use_timings(config: Any, path: Path) -> None:
    """Give the builder's configuration what ``path`` holds; an empty cache, to be filled, where that is of no use."""
    if not _set(config, _read(path)):
        _set(config, b"")


def _set(config: Any, known: bytes) -> bool:
    """Whether the engine took what it timed before; of another version or GPU it gives nothing, refuses, or raises."""
    try:
        cache = config.create_timing_cache(known)
        return cache is not None and config.set_timing_cache(cache, False)
    except (RuntimeError, TypeError, ValueError) as error:
        _say(f"earlier timings are not used: {error}")
        return False


def keep_timings(config: Any, path: Path) -> None:
    """Write what the builder timed; what cannot be kept is said on stderr."""
    try:
        cache = config.get_timing_cache()
        found = b"" if cache is None else bytes(cache.serialize() or b"")
        if found:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")  # builds may end at once
            fresh.write_bytes(found)
            os.replace(fresh, path)
    except (OSError, RuntimeError, TypeError) as error:
        _say(f"timings are not kept: {error}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the first build
        return b""
    except OSError as error:
        _say(f"timings are not read: {error}")
        return b""


def _say(text: str) -> None:
    print(f"tensorrt: {text}", file=sys.stderr)
