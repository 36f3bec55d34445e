"""One cell, from building to the last round."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from inception_bench.backends.registry import find_backend
from inception_bench.machine.environment import Activity
from inception_bench.measure.accuracy import answers_to, count
from inception_bench.measure.cell_pair import OWN, PARTNER, CellPair
from inception_bench.measure.comparison import LATER_IMAGES, Comparison
from inception_bench.measure.engine import Engine, StageLimit
from inception_bench.measure.measurement import ArtifactFacts, Measurement
from inception_bench.measure.parity import Parity
from inception_bench.measure.partners import Partner, Partners
from inception_bench.measure.ready import Assignment, Running, Step, ready
from inception_bench.measure.replies import Attested, Logits
from inception_bench.measure.rounds import Rounds, Taken
from inception_bench.measure.stages import Built, CellSettings, CellStopped
from inception_bench.measure.training import network_data
from inception_bench.measure.workshop import Workshop, weights_name
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact

# How many calls are timed on a GPU together with the transfer of their batch to it.
_TRANSFER_ROUNDS = 64
# Whether a cell with these rounds, taken over so many seconds, has been timed enough.
Enough = Callable[[Rounds, float], bool]


class Cell:
    """Drives pairs of fresh processes: in each a candidate, and the partner that it is timed beside.

    The partner is the paired reference (eager, fp32) unless another case is given as ``partner``. ``prepare`` builds,
    and loads and checks the first pair; ``sample`` times it, and as many more pairs as it takes; ``end`` completes
    ``measurement``. Whatever fails raises CellStopped. ``watch`` is called with the name of each stage as it begins.
    With ``partners`` a process of the paired reference may have served an earlier cell, and it lives on after this
    cell.
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
        self._both: tuple[Built, Built] | None = None
        self._pair: CellPair | None = None
        self._first_started = OWN
        self._taken = Taken()
        self._limit = StageLimit(settings.limits)
        self._comparison = Comparison(workshop, self._limit)
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
        self._both = self._build()
        self._open_pair()
        if self.case.network.data:
            with self._stopping():
                self._measure_accuracy(self._both[0].weights)

    def sample(
        self, enough: Callable[[Rounds, float], bool], told: Callable[[int], None] = lambda rounds: None
    ) -> None:
        """Time one pair of processes after another until ``enough`` says so of the rounds so far.

        ``enough`` is asked after each pair, with the rounds and the seconds since the first of them; ``told`` is called
        before each block with the number of rounds so far.
        """
        began = time.monotonic()
        self._time_pair(told)
        while not enough(self._taken.rounds(), time.monotonic() - began):
            self._close_pair()
            self._open_pair()
            self._time_pair(told)

    def end(self) -> None:
        """Complete the measurement after the last round; its outcome is then ``ok``."""
        with self._stopping():
            measured = self._engines[OWN].on_device(_TRANSFER_ROUNDS, self._settings.window_s)
        peaks = [pair.peak_rss_bytes for pair in self.measurement.pairs]
        peak = self.measurement.peak_rss_bytes = _largest(peaks)
        # Each pair's peak before its rounds was kept; the rounds may have gone beyond it.
        started = self.measurement.peak_rss_since_start_bytes
        self.measurement.peak_rss_since_start_bytes = None if peak is None else _largest([started, peak])
        self.measurement.device = measured.device
        self.measurement.rounds = self._taken.rounds(measured.with_input_s)
        self.measurement.activity = Activity.now().since(self._activity)
        self.measurement.outcome, self.measurement.stage = "ok", "time"

    def stop(self, stopped: CellStopped) -> None:
        """Record in the measurement why the cell ends without a time."""
        self.measurement.outcome, self.measurement.stage = stopped.outcome, stopped.stage
        self.measurement.reason = str(stopped)
        self.measurement.activity = Activity.now().since(self._activity)

    def close(self) -> None:
        """End the processes of the pair that is alive; a partner that serves other cells too lives on."""
        if self._pair is not None:
            self._close_pair(gently=self.measurement.outcome == "ok")

    @property
    def _engines(self) -> Mapping[str, Engine]:
        return {} if self._pair is None else self._pair.engines

    def _open_pair(self) -> None:
        """Start the next pair of processes, and compare the output of both with the reference."""
        assert self._both is not None
        (own, other), number = self._both, len(self.measurement.pairs)
        shared = None if self._partners is None else self._partners.find(self.partner, other.artifact, number)
        self._enter("load")
        self._start_engines(number, shared)
        with self._stopping():
            parity, partner_parity = self._compare(own, other, shared)
        if not parity.holds:
            raise CellStopped("mismatch", "parity", parity.reason())
        if not partner_parity.holds:
            raise CellStopped("failed", "parity", "the paired reference: " + partner_parity.reason())
        if self._partners is not None and shared is None:
            kept = Partner(self._engines[PARTNER], partner_parity)
            self._partners.keep(self.partner, other.artifact, number, kept)

    def _time_pair(self, told: Callable[[int], None]) -> None:
        """Warm the pair up, and time its blocks."""
        pair, settings = self._pair, self._settings
        assert pair is not None
        self._enter("time")
        with self._stopping():
            started = pair.begin(settings.l2, settings.busy_share)
            before, until = len(self._taken), time.monotonic() + settings.seconds_a_pair
            while len(self._taken) - before < settings.rounds_a_pair or time.monotonic() < until:
                told(len(self._taken))
                pair.take_block(self._taken, candidate_first=self._random.random() < 0.5)
            self.measurement.pairs = (*self.measurement.pairs, pair.end())
        known = self.measurement.peak_rss_since_start_bytes
        self.measurement.peak_rss_since_start_bytes = _largest([known, started])

    def _close_pair(self, *, gently: bool = True) -> None:
        for engine in self._engines.values():
            if self._partners is not None and self._partners.owns(engine):
                continue
            if gently:
                engine.close()
            engine.kill()
        self._pair = None

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
        is_first = not self.measurement.pairs
        own_group, group = self._assignment(OWN, self.case, own), self._assignment(PARTNER, self.partner, other)
        groups = [own_group] if shared is not None else [{**group, **own_group}]
        if is_first and shared is None:
            # The time that the first candidate takes to load is recorded, so the partner must be idle meanwhile.
            groups = [group, own_group]

        def before_logits() -> None:
            self._enter("parity")
            if shared is not None:
                self.measurement.partner_parity = shared.parity

        def keep(name: str, step: Step) -> None:
            if isinstance(step, Logits) and name == PARTNER:
                known = self.measurement.partner_parity
                self.measurement.partner_parity = self._comparison.parity(self.partner, other, step, known)
            self._keep(name, step)

        logits = ready(groups, keep, before_logits)
        partner_parity = self.measurement.partner_parity
        assert partner_parity is not None
        eager_error = partner_parity.error if self.partner == self.case.reference() else None
        known = self.measurement.parity
        self.measurement.parity = self._comparison.parity(self.case, own, logits[OWN], known, eager_error)
        return self.measurement.parity, partner_parity

    def _start_engines(self, number: int, shared: Partner | None) -> None:
        """Start fresh processes; a shared partner lives already, and gets this cell's limits.

        Which starts first is drawn at random for every other pair, and the next pair starts the other way round.
        """
        if number % 2 == 0:
            self._first_started = self._random.choice((OWN, PARTNER))
        else:
            self._first_started = PARTNER if self._first_started == OWN else OWN
        runtimes = {OWN: self.case.runtime, PARTNER: self.partner.runtime}
        engines: dict[str, Engine] = {} if shared is None else {PARTNER: shared.engine}
        for name in (self._first_started, *runtimes):
            if name not in engines:
                engines[name] = self._workshop.engine(runtimes[name], self._limit)
        engines[PARTNER].limit = self._limit
        self._pair = CellPair(number, engines, self._first_started if shared is None else PARTNER)

    def _assignment(self, name: str, case: Case, built: Built) -> dict[str, Assignment]:
        images = LATER_IMAGES if self.measurement.pairs else None
        return {name: Assignment(self._engines[name], case, built.artifact.folder, built.reference.images, images)}

    def _keep(self, name: str, step: Step) -> None:
        """Record what the candidate says of itself, and the attestation of either engine that runs not as asked."""
        if isinstance(step, Running) and name == OWN and not self.measurement.pairs:
            self.measurement.worker = {**step.started.to_json(), "modules": list(step.loaded.modules)}
            self.measurement.partner_pid = self._engines[PARTNER].pid
            self.measurement.load_s, self.measurement.first_call_s = step.loaded.load_s, step.first.first_call_s
        elif isinstance(step, Attested) and (name == OWN or step.differences):
            self.measurement.attest = step.attestation

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


def _largest(values: Sequence[int | None]) -> int | None:
    """The largest of the known values; None where none is known."""
    return max((value for value in values if value is not None), default=None)
