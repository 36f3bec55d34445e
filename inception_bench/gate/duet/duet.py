"""The same cell under two installations at the same time: fresh pairs of processes, blocks in random ABBA order.

Pairs are many and short, and as many start at once as there are lanes (``cores``); after these one looks. How long
they are timed, together where they take turns, follows from how long they took to start (Kalibera and Jones, ISMM 2013:
the dearer a replication, the more is measured in it): TIMED_PER_START times as long, as far as LEAST_LOOKS still fit
into the budget. The budget counts from the start of the first pair; building is outside.
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
from inception_bench.measure.workshop import Reference
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
# The first two processes answer all photographs, as a cell does. Later ones load the same files: two are enough.
LATER_IMAGES = 2
# Of an error's words: the first names of a long list say enough.
_WHY_LENGTH = 240


@dataclass(frozen=True)
class DuetSettings:
    """How cells are timed. ``budget_s`` is a cell's; ``cells`` are judged together; ``seed`` draws all orders.

    ``busy_share`` is an injected slow-down of side b, for proving the gate's power; 0 otherwise.
    """

    budget_s: float
    min_effect: float
    cells: int
    seed: str
    busy_share: float = 0.0
    limits: Limits = field(default_factory=Limits)


@dataclass
class Duet:
    """One cell under way; ``run`` gives what its record keeps."""

    case: Case
    sides: Mapping[str, Side]
    settings: DuetSettings
    watch: Callable[[str], None]
    cases: Mapping[str, Case] = field(default_factory=dict)  # another case for a side: only in trials of power
    facts: dict[str, SideFacts] = field(init=False)
    pairs: list[ProcessPair] = field(default_factory=list, init=False)
    rule: Rule | None = field(default=None, init=False)
    seconds: float = field(default=0.0, init=False)  # of all pairs, building aside
    _built: dict[str, Built] = field(default_factory=dict, init=False)
    _timed_s: float = field(default=0.0, init=False)
    _crowded: bool = field(default=False, init=False)  # once is enough: others come in bursts
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
        """What the side loads: a's weights wherever its code can read them, so that both run the same network."""
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
        except CallFailed as error:  # the network of b cannot hold them: another network, which the exact facts tell
            why = f"a's do not fit the network of b: {str(error)[:_WHY_LENGTH]}"
            return _Weights(shop.weights(case), f"{SIGNAL_KEEPING} of its own", shared=False, why=why)
        return _Weights(theirs, SIGNAL_KEEPING, shared=True)

    def _rounding(self, side: str, case: Case, reference: Reference) -> float | None:
        runtime = case.runtime
        if runtime.precision in LIMITS:
            # On a GPU no eager stands beside a duet's sides: both have the whole of what may be allowed there.
            return math.inf if runtime.precision == "fp32" and runtime.device == "cuda" else None
        shop = self.sides["a"].workshop if self.case_of("a") == case else self.sides[side].workshop
        return shop.rounding(case, shop.weights(case), reference)

    def _pairs_of_a_look(self) -> list[ProcessPair]:
        """Fresh pairs, each on its own cores: all start at once, and are timed at once unless others need a core."""
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
                told = (self._timed_s, at_once, others_cores)
                groups = [live[at : at + at_once] for at in range(0, len(live), at_once)]
                made = [each for group in groups for each in threads.map(lambda pair: pair.time(*told), group)]
                self._crowded |= crowded(others.cores(), taken)
                return made
            finally:  # within the pool: a thread that still waits for a worker goes on by this
                for pair in live:
                    pair.workers.kill()
                    self._keep_facts(pair)

    def _timed_for(self, start_s: float, turns: int) -> float:
        """How long each pair is timed where so many take turns, from how long they took to start."""
        fitting = self.settings.budget_s / LEAST_LOOKS - start_s
        return max(min(TIMED_PER_START * start_s, fitting) / turns, LEAST_TIMED_S)

    def _live_pair(self, number: int, cores: tuple[int, ...], cores_each: int) -> LivePair:
        """A fresh process of each side.

        Which is started first is drawn for each two pairs and exchanged between them: on a busy machine the one that
        was there first was seen to fare otherwise for as long as both lived.
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
        """Of all processes the newest facts, and the largest parity error."""
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
    """A parity error; what no JSON number can hold was infinite."""
    return math.inf if parity.error is None else parity.error


@dataclass(frozen=True)
class _Weights:
    """What a side runs on. ``shared``: b runs on a's."""

    artifact: Artifact
    name: str
    shared: bool
    why: str = ""  # not shared
