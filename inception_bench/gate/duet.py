"""The same cell under two installations at the same time: fresh pairs of processes, blocks in random ABBA order.

Pairs are many and short. How long one is timed follows from how long it takes to start (Kalibera and Jones, ISMM
2013: the dearer a replication, the more is measured in it): TIMED_PER_START times as long, as far as LEAST_PAIRS
still fit into the budget. The budget counts from the start of the first pair; building is outside.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.backends.cache import Artifact
from inception_bench.backends.registry import find_backend
from inception_bench.errors import UsageError
from inception_bench.gate.cores import core_groups
from inception_bench.gate.process_pair import ORDERS, Block, ProcessPair
from inception_bench.gate.side import Side
from inception_bench.gate.verdict import UNCLEAR, Judgement, Rule, judge
from inception_bench.gate.worker_pair import SideStopped, WorkerPair
from inception_bench.measure.parity import LIMITS, Parity, compare, finite
from inception_bench.measure.process import CallFailed, Process
from inception_bench.measure.workshop import Reference, setup_of
from inception_bench.spec.case import SIGNAL_KEEPING, Case
from inception_bench.spec.profile import Limits

TIMED_PER_START = 1.5
LEAST_TIMED_S = 1.0
LEAST_PAIRS = 4
# The first two processes answer all photographs, as a cell does; each later one, of the same files, so many.
LATER_IMAGES = 2
WARMUP_ROUNDS = 1  # after the first call and the photographs
_DIGITS = 7  # of a second: a tenth of a microsecond
# So many blocks at least in each pair, so that the fastest quarter of a side's rounds is a sample.
_LEAST_BLOCKS = 8


@dataclass(frozen=True)
class Plan:
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
    """One cell under way. ``body`` at the end is that of a record of the kind ``duet``."""

    case: Case
    sides: Mapping[str, Side]
    plan: Plan
    watch: Callable[[str], None]
    cases: Mapping[str, Case] = field(default_factory=dict)  # another case for a side: only in trials of power
    facts: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    pairs: list[ProcessPair] = field(default_factory=list, init=False)
    rule: Rule | None = field(default=None, init=False)
    seconds: float = field(default=0.0, init=False)  # of all pairs, building aside
    _built: dict[str, tuple[Artifact, Reference]] = field(default_factory=dict, init=False)
    _timed_s: float = field(default=0.0, init=False)
    _order: str = field(default="ab", init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.plan.seed} {self.case.id}")

    def run(self) -> dict[str, Any]:
        """Build, compare, and measure pairs until the verdict is clear or the budget ends."""
        stopped = None
        try:
            for side in ("a", "b"):
                self._build(side)
            self._measure()
        except SideStopped as error:
            stopped = error
            self.facts.setdefault(error.side, {"weights": ""}).update(
                outcome=error.outcome, stage=error.stage, reason=str(error)
            )
        return self._body(stopped)

    def case_of(self, side: str) -> Case:
        return self.cases.get(side, self.case)

    def _measure(self) -> None:
        began, found = time.monotonic(), Judgement(UNCLEAR)
        while found.verdict == UNCLEAR and (self.rule is None or len(self.pairs) < self.rule.looks):
            if len(self.pairs) > 1 and time.monotonic() - began + self._pair_s() > self.plan.budget_s:
                return
            self.pairs.append(self._pair())
            if self.rule is not None:
                found = judge(self.pairs, self.rule)
            self.seconds = time.monotonic() - began
            self.watch(f"pair {len(self.pairs)}: {found.verdict}")

    def _pair_s(self) -> float:
        return self.pairs[-1].start_s + self._timed_s

    def _build(self, side: str) -> None:
        """What the side loads: a's weights wherever its code can read them, so that both run the same network."""
        self.watch(f"build {side}")
        shop, case = self.sides[side].workshop, self.case_of(side)
        absent = find_backend(case.backend).unsupported(case.device, case.precision)
        if absent is not None:
            raise SideStopped(side, "unavailable", "build", absent)
        try:
            costs = self.sides[side].costs(case)
        except UsageError as error:
            raise SideStopped(side, "failed", "build", str(error)) from None
        try:
            weights = self._weights(side, case)
            reference = self._built["a"][1] if weights.shared else shop.reference(case, weights.artifact)
            artifact = shop.artifact(case, weights.artifact, reference.images)
        except CallFailed as error:
            raise SideStopped(side, error.outcome, "build", str(error)) from None
        self._built[side] = (artifact, reference)
        about = {"size_bytes": artifact.size_bytes, "digest": artifact.digest, "build_s": artifact.build_s}
        self.facts[side] = {"outcome": "ok", "reason": "", **costs, "weights": weights.name, "artifact": about}

    def _weights(self, side: str, case: Case) -> _Weights:
        shop = self.sides[side].workshop
        if side == "a" or self.case_of("a") != case:
            return _Weights(shop.weights(case), SIGNAL_KEEPING, shared=False)
        theirs = self.sides["a"].workshop.weights(case)
        try:
            if self.sides["a"].facts["model_source"] != self.sides["b"].facts["model_source"]:
                shop.reference(case, theirs)
        except CallFailed:  # the network of b cannot hold them: another network, which the exact facts tell
            return _Weights(shop.weights(case), f"{SIGNAL_KEEPING}, b's own: a's do not fit", shared=False)
        return _Weights(theirs, SIGNAL_KEEPING, shared=True)

    def _pair(self) -> ProcessPair:
        """Two fresh processes, side by side, for a while."""
        workers: dict[str, Process] = {}
        begun = time.monotonic()
        try:
            for side in self._start_order():
                workers[side] = self.sides[side].workshop.worker(self.case_of(side))
            both = WorkerPair(workers, {side: self.case_of(side) for side in workers}, self.plan.limits)
            busy = self._start(both)
            start_s = time.monotonic() - begun
            if self.rule is None:
                self._schedule(start_s)
            answers = self._blocks(both)
            both.close()
        finally:
            for worker in workers.values():
                worker.kill()
        blocks = tuple(block for block, _ in answers)
        preempted = {side: sum(counts[side] for _, counts in answers) for side in ("a", "b")}
        return ProcessPair(start_s, blocks, busy, preempted)

    def _start_order(self) -> str:
        """Which process is started first, drawn for each two pairs and exchanged between them.

        On a busy machine the one that was there first was seen to fare otherwise for as long as both lived.
        """
        if len(self.pairs) % 2 == 0:
            self._order = self._random.choice(("ab", "ba"))
            return self._order
        return self._order[::-1]

    def _schedule(self, start_s: float) -> None:
        """How long pairs are timed and how often one may look, from how long the first took to start."""
        fitting = self.plan.budget_s / LEAST_PAIRS - start_s
        self._timed_s = max(min(TIMED_PER_START * start_s, fitting), LEAST_TIMED_S)
        looks = max(int(self.plan.budget_s / (start_s + self._timed_s)), 2)
        self.rule = Rule(self.plan.min_effect, looks, self.plan.cells)

    def _start(self, both: WorkerPair) -> dict[str, float]:
        """Import, load, first call, parity, warm-up; none of it is timed but for the record. Busy shares."""
        setups = {side: vars(setup_of(self.case_of(side))) for side in both.sides}
        backends = {side: find_backend(self.case_of(side).backend).target for side in both.sides}
        devices = {side: {"backend": backends[side], "device": self.case.device} for side in both.sides}
        for side, (about, _) in both.ask_both("load", "start", devices).items():
            self.facts[side]["worker"] = about
        folders = {side: str(self._built[side][0].folder) for side in both.sides}
        both.ask_both("load", "load", {side: {"folder": folders[side], "setup": setups[side]} for side in both.sides})
        self._check(both, setups)
        if self.plan.busy_share:
            both.ask("b", "time", "slow", share=self.plan.busy_share)
        both.run_both("time", "warm_up", {side: {"rounds": WARMUP_ROUNDS} for side in both.sides})
        begun = both.ask_both("time", "begin", {side: {} for side in both.sides})
        # A worker of an earlier version does not know of injected slow-downs and so has none.
        return {side: float(answer.get("busy_share", 0.0)) for side, (answer, _) in begun.items()}

    def _check(self, both: WorkerPair, setups: Mapping[str, dict[str, Any]]) -> None:
        """First call, what really runs, and parity with the float64 reference, in each process anew."""
        references = {side: self._built[side][1] for side in both.sides}
        size = self.case.batch_size
        count = LATER_IMAGES if self.pairs else None
        batches = {side: {"images": str(references[side].images), "batch_size": size} for side in both.sides}
        for side, (first, _) in both.run_both("load", "first", batches).items():
            attested, _ = both.ask(side, "load", "attest", setup=setups[side])
            self.facts[side].update(attest=attested["attest"], first_call_s=first["first_call_s"])
            if attested["differences"]:
                raise SideStopped(side, "mislabelled", "load", "; ".join(attested["differences"]))
        asked = {side: {**batches[side], "count": count} for side in both.sides}
        for side, (_, (logits,)) in both.run_both("parity", "logits", asked).items():
            reference, precision = references[side], self.case_of(side).precision
            known = (reference.logits[:count], reference.spread, reference.mutations)
            # A worker of an earlier version answers all.
            self._keep_parity(side, compare(logits[:count], *known, precision, self._rounding(side)))

    def _rounding(self, side: str) -> float | None:
        case = self.case_of(side)
        if case.precision in LIMITS:
            return None
        shop = self.sides["a"].workshop if self.case_of("a") == case else self.sides[side].workshop
        return shop.rounding(case, shop.weights(case), self._built[side][1])

    def _keep_parity(self, side: str, parity: Parity) -> None:
        """Of all processes the largest error; one that is too large ends the cell."""
        facts, found = self.facts[side], {"error": finite(parity.error), "limit": parity.limit}
        if not parity.holds:
            facts["parity"] = found
            raise SideStopped(side, "mismatch", "parity", parity.reason())
        facts["parity"] = max(facts.get("parity", found), found, key=lambda each: float(each["error"]))

    def _blocks(self, both: WorkerPair) -> list[tuple[Block, dict[str, int]]]:
        """Blocks for as long as planned; of each, how often the kernel interrupted either side."""
        made: list[tuple[Block, dict[str, int]]] = []
        until = time.monotonic() + self._timed_s
        groups = core_groups(both.most_threads, self._random)
        while len(made) < _LEAST_BLOCKS or time.monotonic() < until:
            order, cores = self._random.choice(ORDERS), next(groups)
            both.pin(cores)
            seconds: dict[str, list[float]] = {"a": [], "b": []}
            preempted = {"a": 0, "b": 0}
            for side in order.lower():
                answer, _ = both.ask(side, "time", "round")
                seconds[side].append(round(answer["seconds"], _DIGITS))
                preempted[side] += answer["preempted"]
            (a_first, a_second), (b_first, b_second) = seconds["a"], seconds["b"]
            made.append((Block(order, (a_first, a_second), (b_first, b_second), cores), preempted))
        return made

    def _body(self, stopped: SideStopped | None) -> dict[str, Any]:
        plan = {"budget_s": self.plan.budget_s, "min_effect": self.plan.min_effect, "timed_s": self._timed_s}
        return {
            "outcome": "ok" if stopped is None else stopped.outcome,
            "stage": "time" if stopped is None else stopped.stage,
            "reason": "" if stopped is None else str(stopped),
            "side": "" if stopped is None else stopped.side,
            "sides": {
                name: {**self.facts.get(name, {}), "installation": self.sides[name].facts} for name in ("a", "b")
            },
            "plan": {**plan, "busy_share": self.plan.busy_share, "seed": self.plan.seed},
            "seconds": self.seconds,
            "rule": None if self.rule is None else asdict(self.rule),
            "pairs": [pair.to_json() for pair in self.pairs],
        }


@dataclass(frozen=True)
class _Weights:
    """What a side runs on. ``shared``: b runs on a's."""

    artifact: Artifact
    name: str
    shared: bool
