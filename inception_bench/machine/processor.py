"""The processor that a worker runs on, and the states in which a timed call may meet a GPU's cache.

At import this file needs the standard library alone.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

WARM, COLD = "warm", "cold"
L2_STATES = {
    WARM: "warm: an untimed call with the same batch ends just before each timed one",
    COLD: "cold: after an untimed call, more than the whole cache is written before each timed one",
}


def processor() -> dict[str, Any]:
    """The CPU's name and instruction sets: code that was compiled for one CPU may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return {"name": platform.processor() or platform.machine()}
    fields = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines[:40]}
    return {"name": fields.get("model name", platform.machine()), "flags": fields.get("flags", "")}
