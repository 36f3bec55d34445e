"""One cell timed under two installations, side a and side b, at the same time, until the verdict is clear.

A pair of processes is a fresh process of each side, alive together. Their rounds are measured in blocks of four, in
ABBA or BAAB order drawn at random: a linear drift of the machine cancels.

There are many short pairs instead of a few long ones. As many pairs start at once as there are lanes: sets of CPU cores
that no other pair uses. When they have been timed, the cell is judged; this is called a look. How long pairs are timed
follows from how long they took to start: TIMED_PER_START times that time, because the more a replication costs, the
more should be measured in it (Kalibera and Jones, ISMM 2013), but only so long that LEAST_LOOKS looks fit into the
budget. Pairs that are timed in turn share that time. The budget counts seconds from the start of the first pair;
building comes before it and is not counted.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from inception_bench.backends.registry import find_backend
from inception_bench.errors import UsageError
from inception_bench.gate.duet.live_pair import Built, LivePair
from inception_bench.gate.duet.side import Side
from inception_bench.gate.duet.worker_pair import SideStopped, WorkerPair
from inception_bench.gate.judgement import UNCLEAR, Judgement, judge
from inception_bench.machine.cores import Others, crowded, draw_lanes
from inception_bench.machine.environment import usable_cores
from inception_bench.measure.measurement import ArtifactFacts
from inception_bench.measure.parity import LIMITS
from inception_bench.measure.references import Reference
from inception_bench.processes.process import CallFailed
from inception_bench.records.duet_body import SIDES, DuetBody, DuetPlan, Rule, SideFacts, SideParity
from inception_bench.records.process_pair import ProcessPair
from inception_bench.spec.case import Case
from inception_bench.spec.network import SIGNAL_KEEPING
from inception_bench.spec.profile import Limits
from inception_bench.store.cache import Artifact

TIMED_PER_START = 0.9
LEAST_TIMED_S = 1.0
LEAST_LOOKS = 4
# The processes of the first look are compared with the reference on all photographs, as those of a cell are. Later
# processes load the same files: two photographs are enough.
LATER_IMAGES = 2
# Characters that are kept of an error's text: it may list all weights, and the first names say enough.
_WHY_LENGTH = 240


@dataclass(frozen=True)
class DuetSettings:
    """How cells are timed: each for at most ``budget_s`` seconds. ``cells`` is how many cells are judged together.

    ``min_effect`` is the smallest effect that matters. ``busy_share`` is an injected slow-down of side b, for proving
    the gate's power; 0 otherwise. Both are shares of the time, 0 to 1. All random orders are drawn from ``seed``.
    """

    budget_s: float
    min_effect: float
    cells: int
    seed: str
    busy_share: float = 0.0
    limits: Limits = field(default_factory=Limits)


@dataclass
class Duet:
    """The measurement of one cell; ``run`` returns the body of its record."""

    case: Case
    sides: Mapping[str, Side]
    settings: DuetSettings
    watch: Callable[[str], None]
    cases: Mapping[str, Case] = field(default_factory=dict)  # sides with another case: only in trials of power
    facts: dict[str, SideFacts] = field(init=False)
    pairs: list[ProcessPair] = field(default_factory=list, init=False)
    rule: Rule | None = field(default=None, init=False)
    seconds: float = field(default=0.0, init=False)  # from the first pair's start to the last look
    _built: dict[str, Built] = field(default_factory=dict, init=False)
    _timed_s: float = field(default=0.0, init=False)
    _crowded: bool = field(default=False, init=False)  # stays True: other programs come in bursts
    _order: str = field(default="ab", init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.settings.seed} {self.case.id}")
        self.facts = {name: SideFacts(self.sides[name].facts) for name in SIDES}

    def run(self) -> DuetBody:
        """Build, compare, and measure pairs until the verdict is clear or the budget ends."""
        stopped = None
        try:
            for side in SIDES:
                self._build(side)
            self._measure()
        except SideStopped as error:
            stopped = error
            known = self.facts[error.side]
            self.facts[error.side] = replace(
                known, weights=known.weights or "", outcome=error.outcome, stage=error.stage, reason=str(error)
            )
        return self._body(stopped)

    def case_of(self, side: str) -> Case:
        return self.cases.get(side, self.case)

    def _measure(self) -> None:
        began, judgement, looks, look_s = time.monotonic(), Judgement(UNCLEAR), 0, 0.0
        while judgement.verdict == UNCLEAR and (self.rule is None or looks < self.rule.looks):
            begun = time.monotonic()
            if looks > 1 and begun - began + look_s > self.settings.budget_s:
                return
            made = self._pairs_of_a_look()
            self.pairs += made
            looks, look_s = looks + 1, time.monotonic() - begun
            if self.rule is None:
                planned = max(int(self.settings.budget_s / look_s), 2)
                self.rule = Rule(self.settings.min_effect, planned, self.settings.cells, len(made))
            judgement = judge(self.pairs, self.rule)
            self.seconds = time.monotonic() - began
            self.watch(f"pair {len(self.pairs)}: {judgement.verdict}")

    def _build(self, side: str) -> None:
        """Make what ``side`` loads.

        Side b loads side a's weights wherever b's code can read them, so that both sides run the same network.
        """
        self.watch(f"build {side}")
        shop, case = self.sides[side].workshop, self.case_of(side)
        runtime = case.runtime
        absent = find_backend(runtime.backend).unsupported(runtime.device, runtime.precision)
        if absent is not None:
            raise SideStopped(side, "unavailable", "build", absent)
        try:
            costs = self.sides[side].costs(case.network)
        except UsageError as error:
            raise SideStopped(side, "failed", "build", str(error)) from None
        try:
            weights = self._weights(side, case)
            reference = self._built["a"].reference if weights.shared else shop.reference(case.network, weights.artifact)
            artifact = shop.artifact(case, weights.artifact, reference.images)
            rounding = self._rounding(side, case, reference)
        except CallFailed as error:
            raise SideStopped(side, error.outcome, "build", str(error)) from None
        self._built[side] = Built(case, artifact, reference, rounding)
        self.facts[side] = replace(
            self.facts[side],
            outcome="ok",
            reason="",
            params=costs["params"],
            macs=costs["macs"],
            weights=weights.name,
            weights_why=weights.why,
            artifact=ArtifactFacts.of(artifact),
        )

    def _weights(self, side: str, case: Case) -> _Weights:
        shop = self.sides[side].workshop
        if side == "a" or self.case_of("a") != case:
            return _Weights(shop.weights(case), SIGNAL_KEEPING, shared=False)
        theirs = self.sides["a"].workshop.weights(case)
        try:
            if self.sides["a"].facts["model_source"] != self.sides["b"].facts["model_source"]:
                shop.reference(case.network, theirs)
        except CallFailed as error:  # b's network has other weights: another network, as the exact facts report
            why = f"a's do not fit the network of b: {str(error)[:_WHY_LENGTH]}"
            return _Weights(shop.weights(case), f"{SIGNAL_KEEPING} of its own", shared=False, why=why)
        return _Weights(theirs, SIGNAL_KEEPING, shared=True)

    def _rounding(self, side: str, case: Case, reference: Reference) -> float | None:
        runtime = case.runtime
        if runtime.precision in LIMITS:
            # On a GPU the limit of fp32 follows eager's own error, and a duet has no process of eager: an infinite
            # error gives both sides the largest limit.
            return math.inf if runtime.precision == "fp32" and runtime.device == "cuda" else None
        shop = self.sides["a"].workshop if self.case_of("a") == case else self.sides[side].workshop
        return shop.rounding(case, shop.weights(case), reference)

    def _pairs_of_a_look(self) -> list[ProcessPair]:
        """Measure the fresh pairs of one look, each pair on its own cores.

        All pairs start at once. They are timed at once too, unless other programs need a core.
        """
        most_threads = max(built.case.runtime.threads for built in self._built.values())
        lanes = draw_lanes(most_threads, self._random) if self.case.runtime.device == "cpu" else [()]
        taken = most_threads * len(lanes)
        live: list[LivePair] = []
        begun = time.monotonic()
        with ThreadPoolExecutor(len(lanes)) as threads:
            try:
                for cores in lanes:
                    live.append(self._live_pair(len(self.pairs) + len(live), cores, usable_cores() // len(lanes)))
                others = Others([pid for pair in live for pid in pair.workers.pids])
                list(threads.map(LivePair.start, live))
                start_s, others_cores = time.monotonic() - begun, others.cores()
                self._crowded |= crowded(others_cores, taken)
                at_once = 1 if self._crowded else len(live)
                if self.rule is None:
                    self._timed_s = self._timed_for(start_s, len(live) // at_once)
                timed_for = (self._timed_s, at_once, others_cores)
                groups = [live[at : at + at_once] for at in range(0, len(live), at_once)]
                made = [each for group in groups for each in threads.map(lambda pair: pair.time(*timed_for), group)]
                self._crowded |= crowded(others.cores(), taken)
                return made
            finally:  # inside the thread pool: it releases threads that still wait for a worker
                for pair in live:
                    pair.workers.kill()
                    self._keep_facts(pair)

    def _timed_for(self, start_s: float, turns: int) -> float:
        """The seconds for which each pair is timed, after ``start_s`` seconds of starting and in ``turns`` turns."""
        fitting = self.settings.budget_s / LEAST_LOOKS - start_s
        return max(min(TIMED_PER_START * start_s, fitting) / turns, LEAST_TIMED_S)

    def _live_pair(self, number: int, cores: tuple[int, ...], cores_each: int) -> LivePair:
        """A fresh process of each side.

        The side that starts first is drawn at random for every other pair, and the next pair starts the other side
        first: on a busy machine the process that started first was seen to have another speed than the second for as
        long as both lived.
        """
        if number % 2 == 0:
            self._order = self._random.choice(("ab", "ba"))
        order = self._order if number % 2 == 0 else self._order[::-1]
        runtimes = {side: self.case_of(side).runtime for side in order}
        engines = {side: self.sides[side].workshop.engine(runtime) for side, runtime in runtimes.items()}
        both = WorkerPair(engines, runtimes, self.settings.limits, cores_each)
        seed = f"{self.settings.seed} {self.case.id} {number}"
        images = LATER_IMAGES if self.pairs else None
        return LivePair(both, self._built, cores, seed, self.settings.busy_share, images)

    def _keep_facts(self, pair: LivePair) -> None:
        """Keep the newest facts of each side, and the largest parity error of all its processes."""
        for side, newest in pair.facts.items():
            known = self.facts[side]
            parities = [each for each in (known.parity, newest.parity) if each is not None]
            self.facts[side] = replace(
                known,
                worker=newest.worker or known.worker,
                first_call_s=newest.first_call_s or known.first_call_s,
                attest=newest.attest or known.attest,
                parity=max(parities, key=_error, default=None),
            )

    def _body(self, stopped: SideStopped | None) -> DuetBody:
        asked = self.settings
        return DuetBody(
            "ok" if stopped is None else stopped.outcome,
            "time" if stopped is None else stopped.stage,
            "" if stopped is None else str(stopped),
            "" if stopped is None else stopped.side,
            self.facts,
            DuetPlan(asked.budget_s, asked.min_effect, self._timed_s, asked.busy_share, asked.seed),
            self.seconds,
            self.rule,
            tuple(self.pairs),
        )


def _error(parity: SideParity) -> float:
    """The error as a number: None stands for an infinite error, which JSON cannot hold."""
    return math.inf if parity.error is None else parity.error


@dataclass(frozen=True)
class _Weights:
    """The weights that a side loads. ``shared``: they are side a's, loaded by side b too; ``why`` they are not."""

    artifact: Artifact
    name: str
    shared: bool
    why: str = ""
