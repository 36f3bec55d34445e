"""One cell, from building to the last round."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_bench.backends.registry import find_backend
from inception_bench.machine.environment import Activity
from inception_bench.measure.accuracy import answers_to, count
from inception_bench.measure.measurement import Measurement
from inception_bench.measure.parity import LIMITS, Parity, compare, compare_rows
from inception_bench.measure.partners import Partner, Partners
from inception_bench.measure.rounds import Taken
from inception_bench.measure.stages import Built, CellStopped, Plan
from inception_bench.measure.training import case_data
from inception_bench.measure.workshop import Workshop, setup_of, weights_name
from inception_bench.processes.process import CallFailed, Process
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact

_CLOSE_LIMIT_S = 10.0
# On a GPU: calls with their input's transfer.
_TRANSFER_ROUNDS = 64
# Comparing row by row moves every map of every image of a batch.
_ROWS_BATCH = 2


class Cell:
    """Drives two fresh workers, the candidate and its partner: the paired reference (eager, fp32), or another cell.

    ``prepare`` builds, loads and checks; ``begin`` warms up; then ``before``, ``round`` and
    ``after`` make one pair: either ``before`` or ``after`` times the partner, drawn at random.
    ``end`` completes ``measurement``. Whatever fails raises CellStopped. ``watch`` is told each
    stage as it begins. With ``partners`` the paired reference's process may be one that served a cell before, and
    lives on after this one.
    """

    def __init__(
        self,
        case: Case,
        workshop: Workshop,
        plan: Plan,
        watch: Callable[[str], None],
        partner: Case | None = None,
        partners: Partners | None = None,
    ):
        self.case = case
        self.partner = case.reference() if partner is None else partner
        self._partners = partners if partner is None else None
        self.measurement = Measurement(weights=case.weights)
        self._workshop = workshop
        self._plan = plan
        self._watch = watch
        self._random = random.Random(f"{plan.seed} {case.id}")
        self._workers: list[Process] = []
        self._taken = Taken()
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
        self._enter("build")
        try:  # before weights, reference and export, which may take minutes
            self._workshop.refusals.require(self.case)
            self._workshop.refusals.require(self.partner)
        except CallFailed as error:
            raise self._stopped(error) from None
        own, other = self._build()
        shared = None if self._partners is None else self._partners.find(self.partner, other.artifact)
        candidate, companion = self._load(own, other, shared)
        self._enter("parity")
        try:
            self.measurement.partner_parity = (
                self._parity(companion, self.partner, other) if shared is None else shared.parity
            )
            eager_error = self.measurement.partner_parity.error if self.partner == self.case.reference() else None
            self.measurement.parity = self._parity(candidate, self.case, own, eager_error)
        except CallFailed as error:
            raise self._stopped(error) from None
        if not self.measurement.parity.holds:
            raise CellStopped("mismatch", "parity", self.measurement.parity.reason())
        if not self.measurement.partner_parity.holds:
            raise CellStopped("failed", "parity", "the paired reference: " + self.measurement.partner_parity.reason())
        if self._partners is not None and shared is None:
            kept = Partner(companion, self.measurement.partner_parity, companion.pid)
            self._partners.keep(self.partner, other.artifact, kept)
        if self.case.data:
            self._measure_accuracy(candidate, companion, own.weights)

    def begin(self) -> None:
        """Warm both workers up; the last thing before the first timed round resets the memory peak."""
        self._enter("time")
        for worker in self._workers:
            self._ask(worker, "warm_up", rounds=self._plan.warmup_rounds)
        self._ask(self._workers[1], "begin", l2=self._plan.l2)
        begun = self._ask(self._workers[0], "begin", l2=self._plan.l2)
        self.measurement.peak_rss_since_start_bytes = begun["peak_rss_since_start_bytes"]
        self._peak_was_reset = begun["peak_was_reset"]

    def before(self) -> None:
        """Perhaps time the reference."""
        first = self._random.random() < 0.5
        self._taken.reference_first.append(first)
        if first:
            self._taken.reference.append(self._ask(self._workers[1], "round"))

    def round(self) -> float:
        """Time the candidate once; seconds as its own clock measured them."""
        answer = self._ask(self._workers[0], "round")
        self._taken.candidate.append(answer)
        return float(answer["seconds"])

    def after(self) -> None:
        """Time the reference if ``before`` did not."""
        if not self._taken.reference_first[-1]:
            self._taken.reference.append(self._ask(self._workers[1], "round"))

    def end(self) -> None:
        """Complete the measurement: the outcome is ok."""
        peak = self._ask(self._workers[0], "end")["peak_rss_bytes"]
        measured = self._ask(self._workers[0], "on_device", rounds=_TRANSFER_ROUNDS, window_s=self._plan.window_s)
        self.measurement.device = measured["device"]
        started = self.measurement.peak_rss_since_start_bytes
        self.measurement.peak_rss_bytes = peak if self._peak_was_reset else None
        self.measurement.peak_rss_since_start_bytes = None if started is None else max(started, peak)
        self.measurement.rounds = self._taken.rounds(measured.get("with_input_s"))
        self.measurement.activity = Activity.now().since(self._activity)
        self.measurement.outcome, self.measurement.stage = "ok", "time"

    def stop(self, stopped: CellStopped) -> None:
        """Record why the cell ends without a time."""
        self.measurement.outcome, self.measurement.stage = stopped.outcome, stopped.stage
        self.measurement.reason = str(stopped)
        self.measurement.activity = Activity.now().since(self._activity)

    @property
    def rounds_done(self) -> int:
        return len(self._taken.candidate)

    def ratios(self) -> list[float]:
        """Reference over candidate for each round so far."""
        return self._taken.rounds().ratios()

    def close(self) -> None:
        """End both workers, but for a partner that serves other cells too."""
        for worker in self._workers:
            if self._partners is not None and self._partners.owns(worker):
                continue
            if worker.alive and self.measurement.outcome == "ok":
                with suppress(CallFailed):
                    worker.call("close", _CLOSE_LIMIT_S)
            worker.kill()
        self._workers = []

    def _build(self) -> tuple[Built, Built]:
        self._enter("train" if self.case.trained_by else "build")
        try:
            weights = self._workshop.weights(self.case)
            self.measurement.weights = weights_name(self.case, weights)
            self._enter("build")
            own, other = self._built(self.case), self._built(self.partner)
        except CallFailed as error:
            raise self._stopped(error) from None
        self.measurement.artifact = own.artifact
        return own, other

    def _built(self, case: Case) -> Built:
        weights = self._workshop.weights(case)
        reference = self._workshop.reference(case, weights)
        return Built(self._workshop.artifact(case, weights, reference.images), weights, reference)

    def _load(self, own: Built, other: Built, shared: Partner | None) -> tuple[Process, Process]:
        self._enter("load")
        started = self._start([self.case] if shared is not None else [self.case, self.partner])
        if shared is not None:
            self._workers.append(shared.worker)
        candidate, companion = self._workers
        if shared is None:
            self._ready(companion, self.partner, other.artifact, other.reference.images)
        loaded, first = self._ready(candidate, self.case, own.artifact, own.reference.images)
        self.measurement.worker = {**started, "modules": loaded["modules"]}
        self.measurement.partner_pid = companion.pid
        self.measurement.load_s, self.measurement.first_call_s = loaded["load_s"], first["first_call_s"]
        if shared is None:
            self._attest(companion, self.partner)
        self.measurement.attest = self._attest(candidate, self.case)
        return candidate, companion

    def _start(self, cases: Sequence[Case]) -> dict[str, Any]:
        """Fresh workers, which import their engines at once; what the first says of itself."""
        for case in cases:
            self._workers.append(self._workshop.worker(case))
            self._workers[-1].start("start", backend=find_backend(case.backend).target, device=case.device)
        answers = [self._finish(worker) for worker in self._workers]
        return answers[0]

    def _attest(self, worker: Process, case: Case) -> dict[str, Any]:
        attested = self._ask(worker, "attest", setup=vars(setup_of(case)))
        if attested["differences"]:
            self.measurement.attest = attested["attest"]
            raise CellStopped("mislabelled", "load", "; ".join(attested["differences"]))
        return dict(attested["attest"])

    def _ready(
        self, worker: Process, case: Case, artifact: Artifact, images: Path, *, rows: bool = False
    ) -> Sequence[dict[str, Any]]:
        loaded = self._ask(worker, "load", folder=str(artifact.folder), setup=vars(setup_of(case, rows=rows)))
        return loaded, self._ask(worker, "first", images=str(images), batch_size=case.batch_size)

    def _parity(self, worker: Process, case: Case, built: Built, eager_error: float | None = None) -> Parity:
        """Compare a worker's logits; every end point where logits cannot tell a fault from rounding.

        ``eager_error`` is what eager beside it errs by in fp32, where there is one.
        """
        rounding = None
        if case.precision not in LIMITS:
            rounding = self._workshop.rounding(case, built.weights, built.reference)
        elif case.precision == "fp32" and case.device == "cuda":
            rounding = math.inf if eager_error is None else eager_error
        known = built.reference
        _, (logits,) = worker.call("logits", self._left(), images=str(known.images), batch_size=case.batch_size)
        parity = compare(logits, known.logits, known.spread, known.mutations, case.precision, rounding)
        return parity if parity.can_tell else self._compare_rows(case, built.weights)

    def _measure_accuracy(self, candidate: Process, companion: Process, weights: Artifact) -> None:
        """Top-1 and top-5 on the test images; eager's answers are kept for the other runtimes."""
        self._enter("accuracy")
        splits = case_data(self.case, self._workshop.cache.root)
        size = self.case.batch_size

        def answers(worker: Process) -> NDArray[np.int64]:
            def ask(images: Path) -> NDArray[np.floating]:
                return worker.call("logits", self._left(), images=str(images), batch_size=size)[1][0]

            return answers_to(splits.test, ask)

        try:
            eager = self._workshop.answers(self.case, weights, splits.digest, lambda: answers(companion))
            self.measurement.accuracy = count(answers(candidate), eager, splits.test.labels, splits.name)
        except CallFailed as error:
            raise self._stopped(error) from None
        if self.measurement.accuracy.reason():
            raise CellStopped("mismatch", "accuracy", self.measurement.accuracy.reason())

    def _compare_rows(self, case: Case, weights: Artifact) -> Parity:
        """The same engine on the same network with every end point as an output, in a worker of its own."""
        case = replace(case, batch_size=min(case.batch_size, _ROWS_BATCH))
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
