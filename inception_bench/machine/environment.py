"""What the machine is, and what it did during a run."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from inception_bench.machine.cuda import device_name
from inception_bench.store.cache import PACKAGE, source_hash

PACKAGES = (
    "inception-bench", "torch", "onnx", "onnxscript", "onnxruntime", "numpy", "pytest", "pytest-benchmark",
    "fvcore", "pandas", "scipy", "scikit-learn", "pillow", "safetensors", "onnxruntime-gpu", "openvino", "tensorrt",
    "tensorrt-rtx-cu13-bindings", "triton", "nvidia-ml-py",
)  # fmt: skip
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


@dataclass(frozen=True)
class Environment:
    """The facts of a machine and an installation; a fact that is not known is None. Memory is in bytes."""

    cpu: str
    architecture: str
    logical_cores: int
    physical_cores: int | None
    usable_cores: int
    memory_bytes: int
    gpu: str | None
    system: str
    python: str
    packages: dict[str, str]
    governor: str | None
    thread_variables: dict[str, str]
    source_hash: str
    git_revision: str | None
    git_dirty: bool | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Activity:
    """How busy the whole machine is at one moment.

    ``load_average`` is over 1, 5 and 15 minutes, in processes. ``busy_s`` are the CPU seconds of all programs and
    ``steal_s`` those that a hypervisor gave to other machines, both since the machine started. Each is None where the
    system does not count it (on Linux without ``/proc``).
    """

    load_average: tuple[float, float, float] | None
    steal_s: float | None
    busy_s: float | None

    @classmethod
    def now(cls) -> Activity:
        import psutil

        load = steal = busy = None
        with suppress(OSError):
            load = tuple(psutil.getloadavg())
        with suppress(OSError):
            times = psutil.cpu_times()
            steal, busy = getattr(times, "steal", None), times.user + times.system
        return cls(load, steal, busy)

    def since(self, before: Activity) -> dict[str, Any]:
        """The load averages of this moment and the CPU seconds between ``before`` and this moment, as JSON values."""
        return {
            "load_average": None if self.load_average is None else list(self.load_average),
            "steal_s": _passed(before.steal_s, self.steal_s),
            "busy_s": _passed(before.busy_s, self.busy_s),
        }


def _passed(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 2)


def installed_version(distribution: str) -> str:
    """The version of an installed package, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def allowed_cores() -> set[int]:
    """The numbers of the logical cores that this process may run on; empty where the system does not tell them."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def usable_cores() -> int:
    """How many logical cores this process may run on."""
    return len(allowed_cores()) or os.cpu_count() or 1


def read_environment() -> Environment:
    """Look at this machine and this installation."""
    checkout = _checkout()
    revision = _git(checkout, "rev-parse", "HEAD")
    status = _git(checkout, "status", "--porcelain") if revision else None
    return Environment(
        cpu=_cpu_name(),
        architecture=platform.machine(),
        logical_cores=os.cpu_count() or 1,
        physical_cores=_physical_cores(),
        usable_cores=usable_cores(),
        memory_bytes=_memory_bytes(),
        gpu=device_name(),
        system=platform.platform(),
        python=sys.version.split()[0],
        packages={name: number for name in PACKAGES if (number := installed_version(name))},
        governor=_GOVERNOR.read_text().strip() if _GOVERNOR.exists() else None,
        thread_variables={key: os.environ[key] for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if key in os.environ},
        source_hash=source_hash(),
        git_revision=revision,
        git_dirty=None if status is None else bool(status),
    )


def _memory_bytes() -> int:
    import psutil

    try:
        total: int = psutil.virtual_memory().total
    except OSError:  # no /proc: the C library knows the pages without it
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return total


def _physical_cores() -> int | None:
    import psutil

    try:
        count: int | None = psutil.cpu_count(logical=False)
    except OSError:
        return None
    return count


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _checkout() -> Path | None:
    """The folder of the git checkout that this code comes from; None where there is none.

    That is the folder around the package, or the present folder, if it holds the same sources as were installed.
    """
    for folder in (PACKAGE.parent, Path.cwd()):
        same = folder == PACKAGE.parent or source_hash(folder / PACKAGE.name) == source_hash()
        if (folder / ".git").exists() and same:
            return folder
    return None


def _git(checkout: Path | None, *words: str) -> str | None:
    """What git writes when it is called with ``words`` in a checkout; None without a checkout or without git."""
    if checkout is None:
        return None
    try:
        done = subprocess.run(["git", *words], cwd=checkout, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
