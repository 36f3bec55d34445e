"""One fresh process of each side on cores of their own, from their start to their last round."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inception_bench.gate.duet.worker_pair import SideStopped, WorkerPair
from inception_bench.machine.cores import pin_this_thread
from inception_bench.measure.cell_pair import WARMUP_ROUNDS
from inception_bench.measure.engine import Engine
from inception_bench.measure.parity import Parity, compare, finite
from inception_bench.measure.ready import Assignment, Running, Step, ready
from inception_bench.measure.references import Reference
from inception_bench.measure.replies import Attested, Logits, Started
from inception_bench.records.duet_body import SIDES, SideFacts, SideParity
from inception_bench.records.process_pair import ORDERS, Block, ProcessPair
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact

_DIGITS = 7  # of a second: a tenth of a microsecond
# The fewest blocks of a pair: with fewer, the fastest quarter of a side's rounds would be too few to average.
_LEAST_BLOCKS = 8


@dataclass(frozen=True)
class Built:
    """What a side's processes load (``artifact``) and are compared with (``reference``).

    ``rounding`` is eager's own parity error in a reduced precision, from which the limit follows; None elsewhere.
    """

    case: Case
    artifact: Artifact
    reference: Reference
    rounding: float | None


@dataclass
class LivePair:
    """A pair of processes: call ``start``, then ``time``. Pairs beside each other may each have a thread of their own.

    ``images`` is how many photographs each process answers (None: all); ``facts`` of a side are what its process said
    of itself; ``busy_share`` is the share of the time, 0 to 1, by which side b is slowed down in trials of the gate.
    """

    workers: WorkerPair
    built: Mapping[str, Built]
    cores: tuple[int, ...]
    seed: str
    busy_share: float
    images: int | None
    facts: dict[str, SideFacts] = field(default_factory=lambda: dict.fromkeys(SIDES, SideFacts()), init=False)
    start_s: float = field(default=0.0, init=False)
    _busy: dict[str, float] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Import, load, first call, parity, warm-up: these times are recorded and not compared. Raises SideStopped."""
        begun = time.monotonic()
        with self.workers.stopping():
            self._make_ready()
            self._warm_up()
        self.start_s = time.monotonic() - begun

    def time(self, seconds: float, at_once: int, others_cores: float) -> ProcessPair:
        """Measure blocks for so many ``seconds`` on this pair's cores. Raises SideStopped.

        ``at_once`` and ``others_cores`` only go into the record.
        """
        pin_this_thread(self.cores)
        self.workers.pin(self.cores)
        draw, until = random.Random(self.seed), time.monotonic() + seconds
        blocks: list[Block] = []
        preempted = {"a": 0, "b": 0}
        with self.workers.stopping():
            while len(blocks) < _LEAST_BLOCKS or time.monotonic() < until:
                blocks.append(self._block(draw.choice(ORDERS), preempted))
        self.workers.close()
        circumstances = (self.cores, at_once, others_cores)
        return ProcessPair(self.start_s, tuple(blocks), self._busy, preempted, *circumstances)

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
        """Keep what a process says of itself, and its parity with the float64 reference."""
        known = self.facts[side]
        if isinstance(step, Started):
            self.facts[side] = replace(known, worker=step.to_json())
        elif isinstance(step, Running):
            self.facts[side] = replace(known, first_call_s=step.first.first_call_s)
        elif isinstance(step, Attested):
            self.facts[side] = replace(known, attest=step.attestation)
        else:
            self._keep_parity(side, self._parity(side, step))

    def _parity(self, side: str, answered: Logits) -> Parity:
        built = self.built[side]
        reference = built.reference
        known = (reference.logits[: self.images], reference.spread, reference.mutations)
        # Workers of the oldest versions answer all images, whatever was asked.
        return compare(answered.values[: self.images], *known, built.case.runtime.precision, built.rounding)

    def _keep_parity(self, side: str, parity: Parity) -> None:
        self.facts[side] = replace(self.facts[side], parity=SideParity(finite(parity.error), parity.limit))
        if not parity.holds:
            raise SideStopped(side, "mismatch", "parity", parity.reason())

    def _block(self, order: str, preempted: dict[str, int]) -> Block:
        """Four rounds in ``order``; adds to ``preempted`` how often the kernel interrupted each side."""
        seconds: dict[str, list[float]] = {"a": [], "b": []}
        for side in order.lower():
            answer = self.workers.engines[side].round()
            seconds[side].append(round(answer.seconds, _DIGITS))
            preempted[side] += answer.preempted
        (a_first, a_second), (b_first, b_second) = seconds["a"], seconds["b"]
        return Block(order, (a_first, a_second), (b_first, b_second))
