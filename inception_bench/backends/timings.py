"""The times of kernels that TensorRT measured in earlier builds, kept in a file: the next build measures fewer.

Such a file only saves time: without it, or with a file that cannot be used, a build takes longer and is as good.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "INCEPTION_BENCH_TIMINGS"


def timing_file(gpu: Mapping[str, str], version: str) -> Path | None:
    """The file in which builds by this ``version`` of the engine on this ``gpu`` keep their timings.

    None where the environment names no folder. ``gpu`` is what ``device_identity`` returns; the driver's CUDA version
    is part of it, as that decides which kernels there are.
    """
    folder = os.environ.get(FOLDER)
    if not folder:
        return None
    gpu_text = f"{gpu['name']}-sm{gpu['capability']}-cuda{gpu['driver_cuda']}".replace(" ", "-").replace("/", "-")
    return Path(folder) / f"{gpu_text}-{version}.cache"


def use_timings(config: Any, path: Path) -> None:
    """Give the builder's configuration the timings in ``path``, or an empty cache where those cannot be used."""
    if not _set(config, _read(path)):
        _set(config, b"")


def _set(config: Any, known: bytes) -> bool:
    """Give the configuration the timings ``known``; returns whether the engine took them.

    Where they are of another version or GPU, the engine makes no cache from them, refuses the cache, or raises.
    """
    try:
        cache = config.create_timing_cache(known)
        return cache is not None and config.set_timing_cache(cache, False)
    except (RuntimeError, TypeError, ValueError) as error:
        _say(f"earlier timings are not used: {error}")
        return False


def keep_timings(config: Any, path: Path) -> None:
    """Write the builder's timings to ``path``; where that is not possible, say so on stderr and go on."""
    try:
        cache = config.get_timing_cache()
        timings = b"" if cache is None else bytes(cache.serialize() or b"")
        if timings:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")  # two builds may end at the same time
            fresh.write_bytes(timings)
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
