"""One cell, from building to the last round."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from inception_bench.backends.registry import find_backend
from inception_bench.machine.environment import Activity
from inception_bench.measure.accuracy import answers_to, count
from inception_bench.measure.engine import Engine, StageLimit
from inception_bench.measure.measurement import ArtifactFacts, Measurement
from inception_bench.measure.parity import LIMITS, Parity, compare, compare_rows
from inception_bench.measure.partners import Partner, Partners
from inception_bench.measure.ready import Assignment, Running, Step, ready
from inception_bench.measure.replies import Attested, Logits
from inception_bench.measure.rounds import Taken
from inception_bench.measure.stages import Built, CellSettings, CellStopped
from inception_bench.measure.training import network_data
from inception_bench.measure.workshop import Workshop, weights_name
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact

OWN, PARTNER = "candidate", "partner"
# How many calls are timed on a GPU together with the transfer of their batch to it.
_TRANSFER_ROUNDS = 64
# Images in a batch that is compared row by row: every map of every image is moved, so more would take long.
_ROWS_BATCH = 2


class Cell:
    """Drives two workers: the candidate, and the partner that it is timed beside.

    The partner is the paired reference (eager, fp32) unless another case is given as ``partner``. ``prepare`` builds,
    loads and checks; ``begin`` warms up; then ``before``, ``round`` and ``after`` make one pair of rounds: either
    ``before`` or ``after`` times the partner, drawn at random. ``end`` completes ``measurement``. Whatever fails raises
    CellStopped. ``watch`` is called with the name of each stage as it begins. With ``partners`` the process of the
    paired reference may have served an earlier cell, and it lives on after this cell.
    """

    def __init__(
        self,
        case: Case,
        workshop: Workshop,
        settings: CellSettings,
        watch: Callable[[str], None],
        partner: Case | None = None,
        partners: Partners | None = None,
    ):
        self.case = case
        self.partner = case.reference() if partner is None else partner
        self._partners = partners if partner is None else None
        self.measurement = Measurement(weights=case.network.weights)
        self._workshop = workshop
        self._settings = settings
        self._watch = watch
        self._random = random.Random(f"{settings.seed} {case.id}")
        self._engines: dict[str, Engine] = {}
        self._taken = Taken()
        self._limit = StageLimit(settings.limits)
        self._activity = Activity.now()

    def prepare(self) -> None:
        """Build and load both networks, and compare their output with the reference. Raises CellStopped."""
        runtime = self.case.runtime
        registered = find_backend(runtime.backend)
        absent = registered.missing(building_only=runtime.backend in self._workshop.pythons)
        reason = absent or registered.unsupported(runtime.device, runtime.precision)
        if reason is not None:
            raise CellStopped("unavailable", "build", reason)
        self._enter("build")
        with self._stopping():  # before weights, reference and export, which may take minutes
            self._workshop.refusals.require(runtime)
            self._workshop.refusals.require(self.partner.runtime)
        own, other = self._build()
        shared = None if self._partners is None else self._partners.find(self.partner, other.artifact)
        with self._stopping():
            parity, partner_parity = self._compare(own, other, shared)
        if not parity.holds:
            raise CellStopped("mismatch", "parity", parity.reason())
        if not partner_parity.holds:
            raise CellStopped("failed", "parity", "the paired reference: " + partner_parity.reason())
        if self._partners is not None and shared is None:
            self._partners.keep(self.partner, other.artifact, Partner(self._engines[PARTNER], partner_parity))
        if self.case.network.data:
            with self._stopping():
                self._measure_accuracy(own.weights)

    def begin(self) -> None:
        """Warm both workers up; at the end, just before the first timed round, the candidate's memory peak is reset."""
        self._enter("time")
        with self._stopping():
            for engine in self._engines.values():
                engine.warm_up(self._settings.warmup_rounds)
            self._engines[PARTNER].begin(self._settings.l2)
            begun = self._engines[OWN].begin(self._settings.l2)
        self.measurement.peak_rss_since_start_bytes = begun.peak_rss_since_start_bytes
        self._peak_was_reset = begun.peak_was_reset

    def before(self) -> None:
        """With probability one half time the partner now; otherwise ``after`` times it."""
        first = self._random.random() < 0.5
        self._taken.reference_first.append(first)
        if first:
            self._time_partner()

    def round(self) -> float:
        """Time the candidate once; returns seconds, as the candidate's own clock measured them."""
        with self._stopping():
            timed = self._engines[OWN].round()
        self._taken.candidate.append(timed)
        return timed.seconds

    def after(self) -> None:
        """Time the partner if ``before`` did not."""
        if not self._taken.reference_first[-1]:
            self._time_partner()

    def end(self) -> None:
        """Complete the measurement after the last round; its outcome is then ``ok``."""
        with self._stopping():
            peak = self._engines[OWN].end().peak_rss_bytes
            measured = self._engines[OWN].on_device(_TRANSFER_ROUNDS, self._settings.window_s)
        self.measurement.device = measured.device
        started = self.measurement.peak_rss_since_start_bytes
        self.measurement.peak_rss_bytes = peak if self._peak_was_reset else None
        self.measurement.peak_rss_since_start_bytes = None if started is None or peak is None else max(started, peak)
        self.measurement.rounds = self._taken.rounds(measured.with_input_s)
        self.measurement.activity = Activity.now().since(self._activity)
        self.measurement.outcome, self.measurement.stage = "ok", "time"

    def stop(self, stopped: CellStopped) -> None:
        """Record in the measurement why the cell ends without a time."""
        self.measurement.outcome, self.measurement.stage = stopped.outcome, stopped.stage
        self.measurement.reason = str(stopped)
        self.measurement.activity = Activity.now().since(self._activity)

    @property
    def rounds_done(self) -> int:
        return len(self._taken.candidate)

    def ratios(self) -> list[float]:
        """The partner's seconds over the candidate's, for each pair of rounds so far."""
        return self._taken.rounds().ratios()

    def close(self) -> None:
        """End both workers; a partner that serves other cells too lives on."""
        for engine in self._engines.values():
            if self._partners is not None and self._partners.owns(engine):
                continue
            if self.measurement.outcome == "ok":
                engine.close()
            engine.kill()
        self._engines = {}

    def _build(self) -> tuple[Built, Built]:
        self._enter("train" if self.case.network.trained_by else "build")
        with self._stopping():
            weights = self._workshop.weights(self.case)
            self.measurement.weights = weights_name(self.case.network, weights)
            self._enter("build")
            own, other = self._built(self.case), self._built(self.partner)
        self.measurement.artifact = ArtifactFacts.of(own.artifact)
        return own, other

    def _built(self, case: Case) -> Built:
        weights = self._workshop.weights(case)
        reference = self._workshop.reference(case.network, weights)
        return Built(self._workshop.artifact(case, weights, reference.images), weights, reference)

    def _compare(self, own: Built, other: Built, shared: Partner | None) -> tuple[Parity, Parity]:
        """Make both engines ready and compare their logits; returns the candidate's parity and the partner's."""
        self._enter("load")
        self._start_engines(shared)
        # Each engine is a group of its own, and groups load one after the other: the time that the candidate takes to
        # load is recorded, so the partner must be idle meanwhile.
        groups = [self._assignment(OWN, self.case, own)]
        if shared is None:
            groups.insert(0, self._assignment(PARTNER, self.partner, other))

        def before_logits() -> None:
            self._enter("parity")
            if shared is not None:
                self.measurement.partner_parity = shared.parity

        def keep(name: str, step: Step) -> None:
            if isinstance(step, Logits) and name == PARTNER:
                self.measurement.partner_parity = self._parity(self.partner, other, step)
            self._keep(name, step)

        logits = ready(groups, keep, before_logits)
        partner_parity = self.measurement.partner_parity
        assert partner_parity is not None
        eager_error = partner_parity.error if self.partner == self.case.reference() else None
        self.measurement.parity = self._parity(self.case, own, logits[OWN], eager_error)
        return self.measurement.parity, partner_parity

    def _start_engines(self, shared: Partner | None) -> None:
        """Start fresh processes, the candidate's first; a shared partner lives already, and gets this cell's limits."""
        self._engines[OWN] = self._workshop.engine(self.case.runtime, self._limit)
        if shared is None:
            self._engines[PARTNER] = self._workshop.engine(self.partner.runtime, self._limit)
        else:
            self._engines[PARTNER] = shared.engine
        self._engines[PARTNER].limit = self._limit

    def _assignment(self, name: str, case: Case, built: Built) -> dict[str, Assignment]:
        return {name: Assignment(self._engines[name], case, built.artifact.folder, built.reference.images)}

    def _keep(self, name: str, step: Step) -> None:
        """Record what the candidate says of itself, and the attestation of either engine that runs not as asked."""
        if isinstance(step, Running) and name == OWN:
            self.measurement.worker = {**step.started.to_json(), "modules": list(step.loaded.modules)}
            self.measurement.partner_pid = self._engines[PARTNER].pid
            self.measurement.load_s, self.measurement.first_call_s = step.loaded.load_s, step.first.first_call_s
        elif isinstance(step, Attested) and (name == OWN or step.differences):
            self.measurement.attest = step.attestation

    def _time_partner(self) -> None:
        with self._stopping():
            self._taken.reference.append(self._engines[PARTNER].round())

    def _parity(self, case: Case, built: Built, answered: Logits, eager_error: float | None = None) -> Parity:
        """Compare an engine's logits, or every end point where logits cannot tell a fault from rounding.

        ``eager_error`` is the parity error of the paired reference in fp32, where that is the partner; else None.
        """
        rounding = None
        precision = case.runtime.precision
        if precision not in LIMITS:
            rounding = self._workshop.rounding(case, built.weights, built.reference)
        elif precision == "fp32" and case.runtime.device == "cuda":
            rounding = math.inf if eager_error is None else eager_error
        known = built.reference
        parity = compare(answered.values, known.logits, known.spread, known.mutations, precision, rounding)
        return parity if parity.can_tell else self._compare_rows(case, built.weights)

    def _measure_accuracy(self, weights: Artifact) -> None:
        """Top-1 and top-5 on the test images; eager's answers are kept in the cache for the other runtimes."""
        self._enter("accuracy")
        splits = network_data(self.case.network, self._workshop.cache.root)

        def answers(name: str) -> NDArray[np.int64]:
            engine = self._engines[name]
            return answers_to(splits.test, lambda images: engine.logits(images, self.case.runtime.batch_size).values)

        eager = self._workshop.answers(self.case, weights, splits.digest, lambda: answers(PARTNER))
        self.measurement.accuracy = count(answers(OWN), eager, splits.test.labels, splits.name)
        if self.measurement.accuracy.reason():
            raise CellStopped("mismatch", "accuracy", self.measurement.accuracy.reason())

    def _compare_rows(self, case: Case, weights: Artifact) -> Parity:
        """Parity by all end points: in a fresh worker the same engine runs the network with every map as an output."""
        case = case.with_runtime(batch_size=min(case.runtime.batch_size, _ROWS_BATCH))
        reference = self._workshop.reference(case.network, weights)
        rows = self._workshop.row_reference(case, weights, reference)
        artifact = self._workshop.artifact(case, weights, rows.images, rows=True)
        engine = self._workshop.engine(case.runtime, self._limit)
        try:
            answered = ready([{OWN: Assignment(engine, case, artifact.folder, rows.images, rows=True)}])
        finally:
            engine.kill()
        return compare_rows(answered[OWN].values, rows.maps, rows.scales, LIMITS["fp32"])

    def _enter(self, stage: str) -> None:
        self._limit.enter(stage)
        self._watch(stage)

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Turn a call that gives no result into CellStopped, with the stage that is under way."""
        try:
            yield
        except CallFailed as error:
            reason = str(error)
            if error.outcome == "timeout":
                reason = f"the stage {self._limit.stage!r} took over its limit of {self._limit.seconds:g} s"
            raise CellStopped(error.outcome, self._limit.stage, reason) from None
