"""One cell, from building to the last round."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from inception_bench.backends.cache import Artifact
from inception_bench.backends.registry import find_backend
from inception_bench.measure.machine import Activity
from inception_bench.measure.parity import LIMITS, Parity, compare, compare_rows, finite
from inception_bench.measure.process import CallFailed, Process
from inception_bench.measure.rounds import Rounds
from inception_bench.measure.workshop import Reference, Workshop, setup_of
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Limits

STAGES = ("build", "load", "parity", "time")
_CLOSE_LIMIT_S = 10.0
# On a GPU: calls with their input's transfer, and the least time over which power and energy are looked at.
_TRANSFER_ROUNDS = 64
_WINDOW_S = 5.0
# Comparing row by row moves every map of every image of a batch.
_ROWS_BATCH = 2


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
    device: dict[str, Any] | None = None
    worker: dict[str, Any] = field(default_factory=dict)
    activity: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the artifact's place on this machine is left out."""
        found = {name: value for name, value in vars(self).items() if name not in ("artifact", "parity", "rounds")}
        artifact = None
        if self.artifact is not None:
            artifact = {key: value for key, value in vars(self.artifact).items() if key != "folder"}
        parity = None if self.parity is None else {**asdict(self.parity), "error": finite(self.parity.error)}
        return {**found, "artifact": artifact, "parity": parity, "rounds": self.rounds and self.rounds.to_json()}


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
        registered = find_backend(self.case.backend)
        absent = registered.missing(building_only=self.case.backend in self._workshop.pythons)
        reason = absent or registered.unsupported(self.case.device, self.case.precision)
        if reason is not None:
            raise CellStopped("unavailable", "build", reason)
        artifact, weights, reference = self._build()
        candidate, companion = self._load(artifact, weights, reference)
        self._enter("parity")
        try:
            self._check(candidate, weights, reference)
            self._check_reference(companion, reference)
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
        measured = self._ask(self._workers[0], "on_device", rounds=_TRANSFER_ROUNDS, window_s=_WINDOW_S)
        self.measurement.device = measured["device"]
        started = self.measurement.peak_rss_since_start_bytes
        self.measurement.peak_rss_bytes = peak if self._peak_was_reset else None
        self.measurement.peak_rss_since_start_bytes = None if started is None else max(started, peak)
        self.measurement.rounds = self._rounds(measured.get("with_input_s"))
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
            artifact = self._workshop.artifact(self.case, weights, reference.images)
        except CallFailed as error:
            raise self._stopped(error) from None
        self.measurement.artifact = artifact
        return artifact, weights, reference

    def _load(self, artifact: Artifact, weights: Artifact, reference: Reference) -> tuple[Process, Process]:
        self._enter("load")
        cases = (self.case, self.case.reference())
        for case in cases:  # both import their engines at once, then load one after the other
            self._workers.append(self._workshop.worker(case))
            self._workers[-1].start("start", backend=find_backend(case.backend).target, device=case.device)
        started = [self._finish(worker) for worker in self._workers]
        candidate, companion = self._workers
        self._ready(companion, cases[1], weights, reference.images)
        loaded, first = self._ready(candidate, self.case, artifact, reference.images)
        self.measurement.worker = {**started[0], "modules": loaded["modules"]}
        self.measurement.load_s, self.measurement.first_call_s = loaded["load_s"], first["first_call_s"]
        attested = self._ask(candidate, "attest", setup=vars(setup_of(self.case)))
        self.measurement.attest = attested["attest"]
        if attested["differences"]:
            raise CellStopped("mislabelled", "load", "; ".join(attested["differences"]))
        return candidate, companion

    def _ready(
        self, worker: Process, case: Case, artifact: Artifact, images: Path, *, rows: bool = False
    ) -> Sequence[dict[str, Any]]:
        loaded = self._ask(worker, "load", folder=str(artifact.folder), setup=vars(setup_of(case, rows=rows)))
        return loaded, self._ask(worker, "first", images=str(images), batch_size=case.batch_size)

    def _check(self, worker: Process, weights: Artifact, reference: Reference) -> None:
        """Compare the candidate's logits; every end point where logits cannot tell a fault from rounding."""
        rounding = None
        if self.case.precision not in LIMITS:
            rounding = self._workshop.rounding(self.case, weights, reference)
        parity = self._compare(worker, self.case, reference, rounding)
        if not parity.can_tell:
            parity = self._compare_rows(weights)
        self.measurement.parity = parity
        if not parity.holds:
            raise CellStopped("mismatch", "parity", parity.reason())

    def _check_reference(self, worker: Process, reference: Reference) -> None:
        parity = self._compare(worker, self.case.reference(), reference)
        if not parity.holds:
            raise CellStopped("failed", "parity", "the paired reference: " + parity.reason())

    def _compare(self, worker: Process, case: Case, reference: Reference, rounding: float | None = None) -> Parity:
        fields = {"images": str(reference.images), "batch_size": case.batch_size}
        _, (logits,) = worker.call("logits", self._left(), **fields)
        return compare(logits, reference.logits, reference.spread, reference.mutations, case.precision, rounding)

    def _compare_rows(self, weights: Artifact) -> Parity:
        """The same engine on the same network with every end point as an output, in a worker of its own."""
        case = replace(self.case, batch_size=min(self.case.batch_size, _ROWS_BATCH))
        reference = self._workshop.reference(case, weights)
        rows = self._workshop.row_reference(case, weights, reference)
        artifact = self._workshop.artifact(case, weights, rows.images, rows=True)
        worker = self._workshop.worker(case)
        try:
            self._ask(worker, "start", backend=find_backend(case.backend).target, device=case.device)
            self._ready(worker, case, artifact, rows.images, rows=True)
            fields = {"images": str(rows.images), "batch_size": case.batch_size}
            _, (maps,) = worker.call("logits", self._left(), **fields)
        finally:
            worker.kill()
        return compare_rows(maps, rows.maps, rows.scales, LIMITS["fp32"])

    def _rounds(self, with_input_s: Sequence[float] | None) -> Rounds:
        candidate, reference = self._pairs["candidate"], self._pairs["reference"]
        return Rounds(
            [answer["seconds"] for answer in candidate],
            [answer["seconds"] for answer in reference],
            self._pairs["reference_first"],
            [answer["preempted"] for answer in candidate],
            [answer["preempted"] for answer in reference],
            None if candidate[0]["device_s"] is None else [answer["device_s"] for answer in candidate],
            with_input_s,
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
