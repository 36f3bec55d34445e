"""``python -m inception_bench.worker``: one engine in one fresh process, which times the engine itself.

The coordinator sends one message for each thing to do. The time is taken here, around the call of the network alone, so
that it contains no message. Standard library and NumPy only, in Python 3.10 syntax, as an engine may need an
interpreter of its own.
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
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inception_bench.backends.base import Setup
from inception_bench.backends.refusal import refusals, require
from inception_bench.machine.processor import L2_STATES, WARM, processor
from inception_bench.processes.protocol import PROTOCOL
from inception_bench.processes.service import Answer, Unavailable, serve

if TYPE_CHECKING:
    from inception_bench.machine.device import Device

SETTLE_STEP_S = 0.0005
SETTLE_LIMIT_S = 0.1


class Worker:
    """The state of one cell: a session and the batch that it is timed on. Each verb of a message is a method.

    A method gets the message's fields and returns the reply's fields and arrays; ``measure/replies.py`` describes them.
    """

    def __init__(self) -> None:
        self.backend: Any = None
        self.session: Any = None
        self.host_batch: Any = None
        self.batch: Any = None
        self.device: Device | None = None
        self.l2 = WARM
        self.busy_share = 0.0

    def start(self, message: dict[str, Any]) -> Answer:
        """Import the engine, so that the import is in the time of neither loading nor the first call."""
        module, _, attribute = message["backend"].partition(":")
        self.backend = getattr(import_module(module), attribute)
        if message["device"] == "cuda" and not message.get("without_device"):
            from inception_bench.machine.device import Device  # a CPU's worker starts sooner without it

            self.device = Device()
        for name in self.backend.modules:
            self._import(name)
        return {
            "protocol": PROTOCOL,
            "python": sys.version.split()[0],
            "pid": os.getpid(),
            "versions": {name: number for name in self.backend.distributions if (number := installed(name))},
            "hardware": processor() if self.device is None else self.device.facts,
        }, []

    def refusals(self, message: dict[str, Any]) -> Answer:
        """The engine's reason against each precision on ``device``, or on all devices; empty where it can."""
        return {"refusals": refusals(self.backend, message.get("device"))}, []

    def compile(self, message: dict[str, Any]) -> Answer:
        """Let the engine compile an exported graph to a file of its own."""
        setup = Setup(**message["setup"])
        if not message.get("without_device"):
            require(self.backend, setup.device, setup.precision)
        self.backend.compile(Path(message["graph"]), Path(message["folder"]), setup)
        return {}, []

    def load(self, message: dict[str, Any]) -> Answer:
        """Load the artifact, and time that."""
        setup = Setup(**message["setup"])
        require(self.backend, setup.device, setup.precision)
        if self.device is not None:
            self.device.before_load()
        start = time.perf_counter()
        self.session = self.backend.load(Path(message["folder"]), setup)
        seconds = time.perf_counter() - start
        return {"load_s": seconds, "modules": [name for name in ("torch", "onnxruntime") if name in sys.modules]}, []

    def first(self, message: dict[str, Any]) -> Answer:
        """Time the first call after loading, on the first images; later calls are timed on the same batch."""
        images = np.load(message["images"])
        size = message["batch_size"]
        self.host_batch = np.ascontiguousarray(images[np.arange(size) % len(images)])
        self.batch = self.session.put(self.host_batch)
        return {"first_call_s": self._timed()["seconds"]}, []

    def attest(self, message: dict[str, Any]) -> Answer:
        """How the session really runs, and where that differs from what was asked."""
        attestation = self.session.attest()
        return {"attest": attestation.to_json(), "differences": attestation.differences(Setup(**message["setup"]))}, []

    def logits(self, message: dict[str, Any]) -> Answer:
        """The network's output for the first ``count`` images, or for all, as one array (images, values).

        It is called with a batch at a time; the last batch is filled up with the first images.
        """
        images = np.load(message["images"])[: message.get("count")]
        size, outputs = message["batch_size"], []
        for start in range(0, len(images), size):
            rows = np.arange(start, start + size) % len(images)
            output = self.session.run(self.session.put(np.ascontiguousarray(images[rows])))
            self.session.synchronize()
            outputs.append(np.array(self.session.fetch(output)))
        return {}, [np.concatenate(outputs)[: len(images)]]

    def warm_up(self, message: dict[str, Any]) -> Answer:
        """Call the network before the rounds that count."""
        return {"seconds": [self._timed()["seconds"] for _ in range(message["rounds"])]}, []

    def slow(self, message: dict[str, Any]) -> Answer:
        """Make each call take longer from now on, by a share of its own time, to prove that a gate notices it."""
        self.busy_share = float(message["share"])
        return {}, []

    def begin(self, message: dict[str, Any]) -> Answer:
        """Just before the first timed round: collect garbage and reset the peaks of memory.

        ``l2`` is the state in which each timed call is to find a GPU's second-level cache (see ``L2_STATES``).
        """
        self.l2 = message.get("l2", WARM)
        gc.collect()
        gc.disable()
        settle()
        if self.device is not None:
            getattr(self.session, "reset_device_peak", lambda: None)()
            self.device.begin_rounds()
        before = peak_rss_bytes()
        return {
            "peak_rss_since_start_bytes": before,
            "peak_was_reset": reset_peak_rss(),
            "busy_share": self.busy_share,
        }, []

    def round(self, message: dict[str, Any]) -> Answer:
        """Time one call by the host's clock, and on a GPU also by the GPU's clock.

        The reply is sent when this process is quiet, so that it does not slow the paired process's next round.
        """
        if self.device is not None:
            self._prime(self.device)
        timed = self._timed()
        if self.device is not None:
            self.device.sample_memory()
        return {**timed, "settle_s": settle()}, []

    def end(self, message: dict[str, Any]) -> Answer:
        """The peak of memory over the timed rounds."""
        return {"peak_rss_bytes": peak_rss_bytes()}, []

    def on_device(self, message: dict[str, Any]) -> Answer:
        """What only a GPU has, after the rounds: memory, calls with their input's transfer, power and energy."""
        if self.device is None:
            return {"device": None}, []
        statement: dict[str, int] = getattr(self.session, "device_memory", dict)()
        memory = {**self.device.memory(), **statement}
        transferred = [self._timed_with_input() for _ in range(message["rounds"])]
        window = self.device.window(self._call, message["window_s"], len(self.host_batch))
        device = {**self.device.facts, "memory": memory, "l2": L2_STATES[self.l2], **window}
        return {"device": device, "with_input_s": transferred}, []

    def close(self, message: dict[str, Any]) -> Answer:
        """Close the session."""
        if self.session is not None:
            self.session.close()
            self.session = None
        return {}, []

    def _import(self, name: str) -> None:
        whose = f"{sys.executable}; {self.backend.install}"
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            raise Unavailable(f"{error.name} is not installed for {whose}") from None
        except (ImportError, OSError) as error:  # the engine links to a library of the system or the driver
            raise Unavailable(f"{name} cannot be loaded ({error}) by {whose}") from None

    def _prime(self, device: Device) -> None:
        """Call once without timing it, as before most rounds the GPU has served the paired process.

        Otherwise the timed call would begin with a switch of contexts, and find the other process's maps in the cache.
        """
        self._call()
        if self.l2 != WARM:
            device.flush_l2()

    def _call(self) -> None:
        self.session.run(self.batch)
        self.session.synchronize()

    def _timed(self) -> dict[str, Any]:
        """Seconds of one call until the device is done, and the involuntary context switches meanwhile."""
        session, batch = self.session, self.batch
        clock = getattr(session, "device_clock", None)
        session.synchronize()
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        start = time.perf_counter()
        if clock is not None:
            clock.start()
        session.run(batch)
        if clock is not None:
            clock.stop()
        session.synchronize()
        seconds = time.perf_counter() - start
        if self.busy_share:
            wanted = seconds * (1 + self.busy_share)
            while seconds < wanted:
                seconds = time.perf_counter() - start
        preempted = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - switches
        return {"seconds": seconds, "preempted": preempted, "device_s": None if clock is None else clock.seconds()}

    def _timed_with_input(self) -> float:
        """Seconds of one call whose batch still lies in the host's memory."""
        self.session.synchronize()
        start = time.perf_counter()
        self.session.run(self.session.put(self.host_batch))
        self.session.synchronize()
        return time.perf_counter() - start


def installed(distribution: str) -> str:
    """The version of a package of this interpreter, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def settle() -> float:
    """Wait until all other threads of this process sleep; returns the seconds waited.

    An engine's threads may spin for milliseconds after a call (those of libgomp wait for more work in this way) and
    would take the core from the process that runs next. Gives up after a tenth of a second.
    """
    begun = time.perf_counter()
    while others_run() and time.perf_counter() - begun < SETTLE_LIMIT_S:
        time.sleep(SETTLE_STEP_S)
    return time.perf_counter() - begun


def others_run() -> bool:
    """Whether another thread of this process than the calling one is running or waiting for a core.

    The kernel's thread states (proc(5)) are read, as its CPU clocks lag by up to a tick. False where the system has no
    such files.
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


VERBS = (
    "start", "refusals", "compile", "load", "first", "attest", "logits", "warm_up", "slow", "begin", "round",
    "end", "on_device", "close",
)  # fmt: skip


def main() -> None:
    """Reply to the coordinator until it closes the connection."""
    worker = Worker()
    serve({verb: getattr(worker, verb) for verb in VERBS})


if __name__ == "__main__":
    main()
