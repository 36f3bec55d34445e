"""One fresh process of each side on cores of their own, from their start to their last round."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_bench.gate.duet.worker_pair import SideStopped, WorkerPair
from inception_bench.gate.process_pair import ORDERS, Block, ProcessPair
from inception_bench.machine.cores import pin_this_thread
from inception_bench.measure.answers import Attested, Logits, Started
from inception_bench.measure.engine import Engine
from inception_bench.measure.parity import Parity, compare, finite
from inception_bench.measure.ready import Assignment, Running, Step, ready
from inception_bench.measure.workshop import Reference
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact

WARMUP_ROUNDS = 1  # after the first call and the photographs
_DIGITS = 7  # of a second: a tenth of a microsecond
# So many blocks at least in each pair, so that the fastest quarter of a side's rounds is a sample.
_LEAST_BLOCKS = 8


@dataclass(frozen=True)
class Built:
    """What a side's processes load and are compared with. ``rounding``: eager's own error in a reduced precision."""

    case: Case
    artifact: Artifact
    reference: Reference
    rounding: float | None


@dataclass
class LivePair:
    """``start`` and then ``time``, both in one thread that may be another than that of the pairs beside it.

    ``images`` are shown in each process (None: all); ``facts`` of each side are what its process said of itself.
    """

    workers: WorkerPair
    built: Mapping[str, Built]
    cores: tuple[int, ...]
    seed: str
    busy_share: float
    images: int | None
    facts: dict[str, dict[str, Any]] = field(default_factory=lambda: {"a": {}, "b": {}}, init=False)
    start_s: float = field(default=0.0, init=False)
    _busy: dict[str, float] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Import, load, first call, parity, warm-up; none of it is timed but for the record. Raises SideStopped."""
        begun = time.monotonic()
        with self.workers.stopping():
            self._make_ready()
            self._warm_up()
        self.start_s = time.monotonic() - begun

    def time(self, seconds: float, at_once: int, others_cores: float) -> ProcessPair:
        """Blocks for so long, on this pair's cores; the rest is for the record. Raises SideStopped."""
        pin_this_thread(self.cores)
        self.workers.pin(self.cores)
        draw, until = random.Random(self.seed), time.monotonic() + seconds
        blocks: list[Block] = []
        preempted = {"a": 0, "b": 0}
        with self.workers.stopping():
            while len(blocks) < _LEAST_BLOCKS or time.monotonic() < until:
                blocks.append(self._block(draw.choice(ORDERS), preempted))
        self.workers.close()
        told = (self.cores, at_once, others_cores)
        return ProcessPair(self.start_s, tuple(blocks), self._busy, preempted, *told)

    def _make_ready(self) -> None:
        both = self.workers
        both.enter("load")
        group = {side: self._assignment(side, engine) for side, engine in both.engines.items()}
        ready([group], self._keep, lambda: both.enter("parity"), calls_at_once=both.calls_at_once)

    def _assignment(self, side: str, engine: Engine) -> Assignment:
        built = self.built[side]
        return Assignment(engine, built.case, built.artifact.folder, built.reference.images, self.images)

    def _warm_up(self) -> None:
        both = self.workers
        both.enter("time")
        if self.busy_share:
            both.engines["b"].slow(self.busy_share)
        both.ask_both(lambda engine: engine.warm_up.later(WARMUP_ROUNDS), at_once=both.calls_at_once)
        begun = both.ask_both(lambda engine: engine.begin.later())
        self._busy = {side: float(answer.busy_share) for side, answer in begun.items()}

    def _keep(self, side: str, step: Step) -> None:
        """What each process says of itself, and its parity with the float64 reference."""
        facts = self.facts[side]
        if isinstance(step, Started):
            facts["worker"] = step.to_json()
        elif isinstance(step, Running):
            facts["first_call_s"] = step.first.first_call_s
        elif isinstance(step, Attested):
            facts["attest"] = step.attest
        else:
            self._keep_parity(side, self._parity(side, step))

    def _parity(self, side: str, answered: Logits) -> Parity:
        built = self.built[side]
        reference = built.reference
        known = (reference.logits[: self.images], reference.spread, reference.mutations)
        # The oldest workers answer to all images.
        return compare(answered.values[: self.images], *known, built.case.runtime.precision, built.rounding)

    def _keep_parity(self, side: str, parity: Parity) -> None:
        self.facts[side]["parity"] = {"error": finite(parity.error), "limit": parity.limit}
        if not parity.holds:
            raise SideStopped(side, "mismatch", "parity", parity.reason())

    def _block(self, order: str, preempted: dict[str, int]) -> Block:
        """Four rounds; ``preempted`` counts how often the kernel interrupted either side."""
        seconds: dict[str, list[float]] = {"a": [], "b": []}
        for side in order.lower():
            answer = self.workers.engines[side].round()
            seconds[side].append(round(answer.seconds, _DIGITS))
            preempted[side] += answer.preempted
        (a_first, a_second), (b_first, b_second) = seconds["a"], seconds["b"]
        return Block(order, (a_first, a_second), (b_first, b_second))
