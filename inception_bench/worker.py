"""``python -m inception_bench.worker``: one engine in one fresh process, timed from within.

The coordinator says what to do, a message at a time; the clock runs here, around the call alone,
so no pipe is ever inside it. Standard library and NumPy only, in Python 3.10 syntax: an engine may
need an interpreter of its own.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends.base import Setup
from inception_bench.service import Answer, serve

SETTLE_STEP_S = 0.0005
SETTLE_LIMIT_S = 0.1


class Worker:
    """The state of one cell: a session and the batch that it is timed on."""

    def __init__(self) -> None:
        self.backend: Any = None
        self.session: Any = None
        self.batch: Any = None

    def start(self, message: dict[str, Any]) -> Answer:
        """Import the engine, so that neither load nor first call pays for it."""
        module, _, attribute = message["backend"].partition(":")
        self.backend = getattr(import_module(module), attribute)
        for name in self.backend.modules:
            import_module(name)
        return {"python": sys.version.split()[0], "pid": os.getpid()}, []

    def load(self, message: dict[str, Any]) -> Answer:
        """Load the artifact; say how it will really run."""
        start = time.perf_counter()
        self.session = self.backend.load(Path(message["folder"]), Setup(**message["setup"]))
        seconds = time.perf_counter() - start
        return {"load_s": seconds, "modules": [name for name in ("torch", "onnxruntime") if name in sys.modules]}, []

    def first(self, message: dict[str, Any]) -> Answer:
        """The first call after loading, on the first batch."""
        images = np.load(message["images"])
        size = message["batch_size"]
        self.batch = self.session.put(np.ascontiguousarray(images[np.arange(size) % len(images)]))
        return {"first_call_s": self._timed()[0]}, []

    def attest(self, message: dict[str, Any]) -> Answer:
        """How the session really runs, and where that differs from what was asked."""
        attestation = self.session.attest()
        return {"attest": attestation.to_json(), "differences": attestation.differences(Setup(**message["setup"]))}, []

    def logits(self, message: dict[str, Any]) -> Answer:
        """The network's answers to all given images, a batch at a time, as (images, classes)."""
        images = np.load(message["images"])
        size, answers = message["batch_size"], []
        for start in range(0, len(images), size):
            rows = np.arange(start, start + size) % len(images)
            output = self.session.run(self.session.put(np.ascontiguousarray(images[rows])))
            self.session.synchronize()
            answers.append(np.array(self.session.fetch(output)))
        return {}, [np.concatenate(answers)[: len(images)]]

    def warm_up(self, message: dict[str, Any]) -> Answer:
        """Calls that do not count."""
        return {"seconds": [self._timed()[0] for _ in range(message["rounds"])]}, []

    def begin(self, message: dict[str, Any]) -> Answer:
        """The last thing before the first timed round: collect garbage, reset the peak of memory."""
        gc.collect()
        gc.disable()
        settle()
        before = peak_rss_bytes()
        return {"peak_rss_since_start_bytes": before, "peak_was_reset": reset_peak_rss()}, []

    def round(self, message: dict[str, Any]) -> Answer:
        """One timed call. The answer waits until this process is quiet, so that it slows nobody's next round."""
        seconds, preempted = self._timed()
        return {"seconds": seconds, "preempted": preempted, "settle_s": settle()}, []

    def end(self, message: dict[str, Any]) -> Answer:
        """The peak of memory over the timed rounds."""
        return {"peak_rss_bytes": peak_rss_bytes()}, []

    def close(self, message: dict[str, Any]) -> Answer:
        """Let the engine go."""
        if self.session is not None:
            self.session.close()
            self.session = None
        return {}, []

    def _timed(self) -> tuple[float, int]:
        """Seconds of one call until synchronised, and the involuntary context switches meanwhile."""
        session, batch = self.session, self.batch
        session.synchronize()
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        start = time.perf_counter()
        session.run(batch)
        session.synchronize()
        seconds = time.perf_counter() - start
        return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - switches


def settle() -> float:
    """Wait until all other threads of this process sleep; seconds waited.

    An engine's threads spin for milliseconds after a call (libgomp's do, in the hope of more work)
    and would take the core from whoever runs next. Gives up after a tenth of a second.
    """
    begun = time.perf_counter()
    while others_run() and time.perf_counter() - begun < SETTLE_LIMIT_S:
        time.sleep(SETTLE_STEP_S)
    return time.perf_counter() - begun


def others_run() -> bool:
    """Whether a thread of this process but the calling one is running or waiting for a core.

    Read from the kernel's thread states (proc(5)): its CPU clocks lag by up to a tick. False where
    there is no such file.
    """
    own = str(threading.get_native_id())
    for stat in Path("/proc/self/task").glob("*/stat"):
        with suppress(OSError):  # the thread has ended meanwhile
            if stat.parent.name != own and stat.read_text().rpartition(")")[2].split()[0] == "R":
                return True
    return False


def peak_rss_bytes() -> int | None:
    """The largest resident memory since the last reset (VmHWM); None where the kernel does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def reset_peak_rss() -> bool:
    """Set VmHWM back to the present size (proc(5), clear_refs 5); False where that is not allowed."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def main() -> None:
    """Answer the coordinator until it hangs up."""
    worker = Worker()
    verbs = ("start", "load", "first", "attest", "logits", "warm_up", "begin", "round", "end", "close")
    serve({verb: getattr(worker, verb) for verb in verbs})


if __name__ == "__main__":
    main()
