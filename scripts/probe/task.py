"""A section as a process: how it is started, told to go, watched and killed. Standard library only.

A CUDA call that hangs cannot be interrupted from inside its process, so each section has a process group
of its own. Every process starts at once and imports what it needs, then waits for one line; so the price
of importing torch is paid once in time, not once a section.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

SCRIPT = Path(__file__).resolve().parents[1] / "gpu_probe.py"
ROOT = SCRIPT.parents[1]
# What a section keeps of its time for writing what it has: it stops by itself before it is killed.
KEPT_SHARE, KEPT_MOST_S = 0.1, 1.5
# A process that nobody killed (its parent died) ends itself this long after its time.
OWN_END_S = 3.0
LOG_LINES = 6


@dataclass(frozen=True)
class Task:
    """What one process does: a section, or a ``role`` in one. ``folder`` holds its answers and logs."""

    section: str
    device: str
    small: bool
    folder: str
    role: str = ""
    compile: bool = True

    @property
    def name(self) -> str:
        return self.section + (f".{self.role}" if self.role else "")

    @property
    def answer(self) -> Path:
        return Path(self.folder) / f"{self.name}.json"

    @property
    def ready(self) -> Path:
        return Path(self.folder) / f"{self.name}.ready"

    @property
    def log(self) -> Path:
        return Path(self.folder) / f"{self.name}.log"

    def as_role(self, role: str) -> Task:
        return replace(self, role=role)


class Deadline:
    """How many seconds are left of a budget."""

    def __init__(self, budget_s: float):
        self.budget_s = budget_s
        self._start = time.monotonic()

    def spent(self) -> float:
        return time.monotonic() - self._start

    def left(self) -> float:
        return self.budget_s - self.spent()


class Progress:
    """What a task has so far: written whole after each step, so that a kill loses one step."""

    def __init__(self, task: Task):
        self._path = task.answer
        self.value: dict[str, Any] = {}

    def save(self) -> None:
        write_json(self._path, self.value)


def finite(value: Any) -> Any:
    """``value`` for JSON, which has no word for infinity or not-a-number: they become None."""
    if isinstance(value, dict):
        return {str(key): finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` as a whole."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(finite(value), indent=1, default=str) + "\n")
    os.replace(fresh, path)


def read_answer(task: Task) -> dict[str, Any]:
    """What a task has written so far; empty where it has not begun."""
    try:
        return json.loads(task.answer.read_text())
    except FileNotFoundError:
        return {}


def words(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {str(error).strip()[:500]}"


class Child:
    """A started task. ``group`` makes it the head of a process group, which is killed as a whole."""

    def __init__(self, task: Task, *, group: bool, talks: bool = False, environment: dict[str, str] | None = None):
        self.task = task
        self._group = group
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        with task.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPT), "--task", json.dumps(asdict(task))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if talks else log,
                stderr=log,
                text=True,
                start_new_session=group,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **(environment or {})},
            )

    def await_ready(self, seconds: float) -> str | None:
        """Wait until its imports are done. Returns why it is not ready, or None."""
        deadline = Deadline(seconds)
        while not self.task.ready.exists():
            if self.process.poll() is not None:
                return f"ended with code {self.process.returncode} while it started: {self.log_tail()}"
            if deadline.left() < 0:
                return f"was not ready after {seconds:.1f} s: {self.log_tail()}"
            time.sleep(0.02)
        return None

    def tell(self, **message: Any) -> None:
        """Send one line; a process that has ended is found out by whoever waits for its answer."""
        with suppress(BrokenPipeError, ValueError):
            self._pipe(self.process.stdin).write(json.dumps(message) + "\n")
            self._pipe(self.process.stdin).flush()

    def answer(self) -> dict[str, Any]:
        """The next line of a child that talks. Raises RuntimeError where it has ended."""
        line = self._pipe(self.process.stdout).readline()
        if not line:
            raise RuntimeError(f"{self.task.name} ended: {self.log_tail()}")
        return json.loads(line)

    @staticmethod
    def _pipe(stream: IO[str] | None) -> IO[str]:
        if stream is None:
            raise ValueError("this process was started without that pipe")
        return stream

    def ended(self, seconds: float) -> bool:
        """Wait at most so long for its end."""
        try:
            self.process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it, and its group where it heads one. Waits a moment only: a driver may hold a dead process."""
        with suppress(ProcessLookupError, PermissionError):
            if self._group:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.ended(2)

    def log_tail(self) -> str:
        lines = self.task.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in lines[-LOG_LINES:])[-800:]


def wait_for_line() -> dict[str, Any]:
    """The line that a parent sends; the process ends with it where the parent is gone."""
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)
    return json.loads(line)


def limit_own_life(budget_s: float) -> None:
    """The system ends this process some time after its budget, whatever it hangs in."""
    signal.setitimer(signal.ITIMER_REAL, max(budget_s, 0) + OWN_END_S)


def soft(budget_s: float) -> Deadline:
    """The deadline by which a section should stop by itself."""
    return Deadline(budget_s - min(budget_s * KEPT_SHARE, KEPT_MOST_S))
