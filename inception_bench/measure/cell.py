"""One cell, from building to the last round."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from inception_bench.backends.base import Setup
from inception_bench.backends.cache import Artifact
from inception_bench.backends.registry import find_backend
from inception_bench.measure.machine import Activity
from inception_bench.measure.parity import Parity, compare
from inception_bench.measure.process import CallFailed, Process
from inception_bench.measure.rounds import Rounds
from inception_bench.measure.workshop import Reference, Workshop
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Limits

WORKER = "inception_bench.worker"
STAGES = ("build", "load", "parity", "time")
_CLOSE_LIMIT_S = 10.0


class CellStopped(Exception):
    """A cell that ends without a time; ``str()`` is the reason."""

    def __init__(self, outcome: str, stage: str, reason: str):
        super().__init__(reason)
        self.outcome = outcome
        self.stage = stage


@dataclass(frozen=True)
class Plan:
    """How a cell is to be timed. ``seed`` draws which of a pair runs first."""

    rounds: int
    warmup_rounds: int
    limits: Limits
    seed: str


@dataclass
class Measurement:
    """All that came of a cell; what was not reached stays None. Seconds, bytes."""

    outcome: str = "failed"
    stage: str = ""
    reason: str = ""
    weights: str = ""
    artifact: Artifact | None = None
    attest: dict[str, Any] | None = None
    parity: Parity | None = None
    load_s: float | None = None
    first_call_s: float | None = None
    rounds: Rounds | None = None
    peak_rss_bytes: int | None = None
    peak_rss_since_start_bytes: int | None = None
    worker: dict[str, Any] = field(default_factory=dict)
    activity: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the artifact's place on this machine is left out."""
        found = {name: value for name, value in vars(self).items() if name not in ("artifact", "parity", "rounds")}
        artifact = None
        if self.artifact is not None:
            artifact = {key: value for key, value in vars(self.artifact).items() if key != "folder"}
        parity = None if self.parity is None else {**asdict(self.parity), "error": _finite(self.parity.error)}
        return {**found, "artifact": artifact, "parity": parity, "rounds": self.rounds and self.rounds.to_json()}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


class Cell:
    """Drives two fresh workers, the candidate and the paired reference (eager, fp32).

    ``prepare`` builds, loads and checks; ``begin`` warms up; then ``before``, ``round`` and
    ``after`` make one pair: either ``before`` or ``after`` times the reference, drawn at random.
    ``end`` completes ``measurement``. Whatever fails raises CellStopped. ``watch`` is told each
    stage as it begins.
    """

    def __init__(self, case: Case, workshop: Workshop, plan: Plan, watch: Callable[[str], None]):
        self.case = case
        self.measurement = Measurement(weights="signal-keeping")
        self._workshop = workshop
        self._plan = plan
        self._watch = watch
        self._random = random.Random(f"{plan.seed} {case.id}")
        self._workers: list[Process] = []
        self._pairs: dict[str, list[Any]] = {"candidate": [], "reference": [], "reference_first": []}
        self._stage = ""
        self._until = 0.0
        self._activity = Activity.now()

    def prepare(self) -> None:
        """Build, load and compare. Raises CellStopped."""
        missing = find_backend(self.case.backend).missing()
        if missing is not None:
            raise CellStopped("unavailable", "build", missing)
        artifact, weights, reference = self._build()
        candidate, companion = self._load(artifact, weights, reference)
        self._enter("parity")
        try:
            self._check(candidate, self.case, reference, keep=True)
            self._check(companion, self.case.reference(), reference, keep=False)
        except CallFailed as error:
            raise self._stopped(error) from None

    def begin(self) -> None:
        """Warm both workers up; the last thing before the first timed round resets the memory peak."""
        self._enter("time")
        for worker in self._workers:
            self._ask(worker, "warm_up", rounds=self._plan.warmup_rounds)
        self._ask(self._workers[1], "begin")
        begun = self._ask(self._workers[0], "begin")
        self.measurement.peak_rss_since_start_bytes = begun["peak_rss_since_start_bytes"]
        self._peak_was_reset = begun["peak_was_reset"]

    def before(self) -> None:
        """Perhaps time the reference."""
        first = self._random.random() < 0.5
        self._pairs["reference_first"].append(first)
        if first:
            self._pairs["reference"].append(self._ask(self._workers[1], "round"))

    def round(self) -> float:
        """Time the candidate once; seconds as its own clock measured them."""
        answer = self._ask(self._workers[0], "round")
        self._pairs["candidate"].append(answer)
        return answer["seconds"]

    def after(self) -> None:
        """Time the reference if ``before`` did not."""
        if not self._pairs["reference_first"][-1]:
            self._pairs["reference"].append(self._ask(self._workers[1], "round"))

    def end(self) -> None:
        """Complete the measurement: the outcome is ok."""
        peak = self._ask(self._workers[0], "end")["peak_rss_bytes"]
        started = self.measurement.peak_rss_since_start_bytes
        self.measurement.peak_rss_bytes = peak if self._peak_was_reset else None
        self.measurement.peak_rss_since_start_bytes = None if started is None else max(started, peak)
        self.measurement.rounds = self._rounds()
        self.measurement.activity = Activity.now().since(self._activity)
        self.measurement.outcome, self.measurement.stage = "ok", "time"

    def stop(self, stopped: CellStopped) -> None:
        """Record why the cell ends without a time."""
        self.measurement.outcome, self.measurement.stage = stopped.outcome, stopped.stage
        self.measurement.reason = str(stopped)
        self.measurement.activity = Activity.now().since(self._activity)

    @property
    def rounds_done(self) -> int:
        return len(self._pairs["candidate"])

    def close(self) -> None:
        """End both workers."""
        for worker in self._workers:
            if worker.alive and self.measurement.outcome == "ok":
                with suppress(CallFailed):
                    worker.call("close", _CLOSE_LIMIT_S)
            worker.kill()
        self._workers = []

    def _build(self) -> tuple[Artifact, Artifact, Reference]:
        self._enter("build")
        try:
            weights = self._workshop.weights(self.case)
            reference = self._workshop.reference(self.case, weights)
            artifact = self._workshop.artifact(self.case, weights, reference)
        except CallFailed as error:
            raise self._stopped(error) from None
        self.measurement.artifact = artifact
        return artifact, weights, reference

    def _load(self, artifact: Artifact, weights: Artifact, reference: Reference) -> tuple[Process, Process]:
        self._enter("load")
        cases = (self.case, self.case.reference())
        for case in cases:  # both import their engines at once, then load one after the other
            variables = {"OMP_NUM_THREADS": str(case.threads), "MKL_NUM_THREADS": str(case.threads)}
            self._workers.append(Process(WORKER, python=sys.executable, environment=variables))
            self._workers[-1].start("start", backend=find_backend(case.backend).target)
        started = [self._finish(worker) for worker in self._workers]
        candidate, companion = self._workers
        self._ready(companion, cases[1], weights, reference)
        loaded, first = self._ready(candidate, self.case, artifact, reference)
        self.measurement.worker = {**started[0], "modules": loaded["modules"]}
        self.measurement.load_s, self.measurement.first_call_s = loaded["load_s"], first["first_call_s"]
        attested = self._ask(candidate, "attest", setup=vars(_setup(self.case)))
        self.measurement.attest = attested["attest"]
        if attested["differences"]:
            raise CellStopped("mislabelled", "load", "; ".join(attested["differences"]))
        return candidate, companion

    def _ready(self, worker: Process, case: Case, artifact: Artifact, reference: Reference) -> Sequence[dict[str, Any]]:
        loaded = self._ask(worker, "load", folder=str(artifact.folder), setup=vars(_setup(case)))
        first = self._ask(worker, "first", images=str(reference.images), batch_size=case.batch_size)
        return loaded, first

    def _check(self, worker: Process, case: Case, reference: Reference, keep: bool) -> None:
        fields = {"images": str(reference.images), "batch_size": case.batch_size}
        _, (logits,) = worker.call("logits", self._left(), **fields)
        parity = compare(logits, reference.logits, reference.spread, reference.mutations, case.precision)
        if keep:
            self.measurement.parity = parity
        if not parity.holds:
            whose = "" if keep else "the paired reference: "
            raise CellStopped("mismatch" if keep else "failed", "parity", whose + parity.reason())

    def _rounds(self) -> Rounds:
        candidate, reference = self._pairs["candidate"], self._pairs["reference"]
        return Rounds(
            [answer["seconds"] for answer in candidate],
            [answer["seconds"] for answer in reference],
            self._pairs["reference_first"],
            [answer["preempted"] for answer in candidate],
            [answer["preempted"] for answer in reference],
        )

    def _enter(self, stage: str) -> None:
        self._stage = stage
        self._until = time.monotonic() + getattr(self._plan.limits, stage)
        self._watch(stage)

    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)

    def _ask(self, worker: Process, op: str, **fields: Any) -> dict[str, Any]:
        worker.start(op, **fields)
        return self._finish(worker)

    def _finish(self, worker: Process) -> dict[str, Any]:
        try:
            return worker.finish(self._left())[0]
        except CallFailed as error:
            raise self._stopped(error) from None

    def _stopped(self, error: CallFailed) -> CellStopped:
        reason = str(error)
        if error.outcome == "timeout":
            limit = getattr(self._plan.limits, self._stage)
            reason = f"the stage {self._stage!r} took over its limit of {limit:g} s"
        return CellStopped(error.outcome, self._stage, reason)


def _setup(case: Case) -> Setup:
    return Setup(case.device, case.precision, case.threads, case.batch_size, case.input_size)
