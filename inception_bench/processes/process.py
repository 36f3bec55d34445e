"""A process that replies to messages. Each call has a time limit, and an error says how the process ended."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from inception_bench.processes import wire
from inception_bench.processes.installation import HERE, Installation

_TAIL_LINES = 6


class CallFailed(Exception):
    """Raised where a call gave no result. ``outcome`` is failed, timeout or unavailable; ``str()`` is the reason."""

    def __init__(self, outcome: str, reason: str):
        super().__init__(reason)
        self.outcome = outcome


class Killed(CallFailed):
    """The process was ended by SIGKILL: by the kernel where memory ran out, by its user, or by this program."""


class Process:
    """``python -m module`` as a fresh process, in a process session of its own (setsid).

    ``start`` sends a call, ``finish`` waits for the reply; ``call`` does both. Where a call failed because the process
    ended or hung, the process has ended afterwards. ``python`` replaces the installation's interpreter.
    """

    def __init__(
        self,
        module: str,
        *,
        python: str | None = None,
        environment: Mapping[str, str] | None = None,
        installation: Installation = HERE,
    ):
        if python is not None:
            installation = replace(installation, python=python)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._popen = subprocess.Popen(
            installation.module_command(module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=installation.environment(environment or {}),
            start_new_session=True,  # so that Ctrl-C reaches the coordinator alone, which then ends its processes
        )
        # Both pipes exist, as they were asked for; Popen's type cannot say so.
        self._replies = _Deadline(self._popen.stdout.fileno())  # type: ignore[union-attr]

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def start(self, op: str, **fields: Any) -> None:
        """Send a call without waiting for the reply."""
        with suppress(OSError):  # the process has ended; finish() says how
            wire.send(self._popen.stdin, {"op": op, **fields})  # type: ignore[arg-type]

    def finish(self, limit_s: float) -> tuple[dict[str, Any], Sequence[np.ndarray]]:
        """Wait at most ``limit_s`` seconds for the reply to the call that was sent. Raises CallFailed."""
        self._replies.set(limit_s)
        try:
            header, arrays = wire.receive(self._replies)
        except TimeoutError:
            self.kill()
            raise CallFailed("timeout", f"no answer within {limit_s:g} s") from None
        except EOFError:
            raise self._ended() from None
        if "unavailable" in header:
            raise CallFailed("unavailable", header["unavailable"])
        if "error" in header:
            raise CallFailed("failed", header["error"])
        return header, arrays

    def call(self, op: str, limit_s: float, **fields: Any) -> tuple[dict[str, Any], Sequence[np.ndarray]]:
        """Send a call and wait for the reply. Raises CallFailed."""
        self.start(op, **fields)
        return self.finish(limit_s)

    def kill(self) -> None:
        """End the process and all processes that it started, whatever they are doing."""
        self.interrupt()
        self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout):
            with suppress(OSError):  # bytes that the dead process never read
                stream.close()  # type: ignore[union-attr]

    def interrupt(self) -> None:
        """End them without waiting for it: a thread that is in a call gets its CallFailed, and is to ``kill`` then."""
        with suppress(ProcessLookupError):  # no process of that group is left
            os.killpg(self._popen.pid, signal.SIGKILL)

    def stderr_tail(self) -> str:
        """The last lines that the process wrote to stderr, in one line."""
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").split("\n")
        return " / ".join([line.strip() for line in lines if line.strip()][-_TAIL_LINES:])

    def _ended(self) -> CallFailed:
        code = self._popen.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        tail = self.stderr_tail()
        account = f"the process was {how}" + (f"; its last words: {tail}" if tail else "")
        return (Killed if code == -signal.SIGKILL else CallFailed)("failed", account)


class _Deadline:
    """Reads a pipe, and raises TimeoutError at a time that is set before each reply."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._until = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def set(self, limit_s: float) -> None:
        self._until = time.monotonic() + limit_s

    def read(self, count: int, /) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0 or not self._selector.select(left):
            raise TimeoutError
        return os.read(self._descriptor, min(count, 1 << 20))
