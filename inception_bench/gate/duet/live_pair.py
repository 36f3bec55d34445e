"""One fresh process of each side on cores of their own, from their start to their last round."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_bench.backends.registry import find_backend
from inception_bench.gate.duet.worker_pair import SideStopped, WorkerPair
from inception_bench.gate.process_pair import ORDERS, Block, ProcessPair
from inception_bench.machine.cores import pin_this_thread
from inception_bench.measure.parity import Parity, compare, finite
from inception_bench.measure.workshop import Reference, setup_of
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

    @property
    def setup(self) -> dict[str, Any]:
        return vars(setup_of(self.case))

    @property
    def target(self) -> str:
        return find_backend(self.case.backend).target


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
        begun, both = time.monotonic(), self.workers
        devices = {side: {"backend": self.built[side].target, "device": self.built[side].case.device} for side in "ab"}
        for side, (about, _) in both.ask_both("load", "start", devices).items():
            self.facts[side]["worker"] = about
        folders = {side: str(self.built[side].artifact.folder) for side in "ab"}
        loads = {side: {"folder": folders[side], "setup": self.built[side].setup} for side in "ab"}
        both.ask_both("load", "load", loads)
        self._check()
        if self.busy_share:
            both.ask("b", "time", "slow", share=self.busy_share)
        both.run_both("time", "warm_up", {side: {"rounds": WARMUP_ROUNDS} for side in "ab"})
        ready = both.ask_both("time", "begin", {"a": {}, "b": {}})
        # A worker of an earlier version does not know of injected slow-downs and so has none.
        self._busy = {side: float(answer.get("busy_share", 0.0)) for side, (answer, _) in ready.items()}
        self.start_s = time.monotonic() - begun

    def time(self, seconds: float, at_once: int, others_cores: float) -> ProcessPair:
        """Blocks for so long, on this pair's cores; the rest is for the record. Raises SideStopped."""
        pin_this_thread(self.cores)
        self.workers.pin(self.cores)
        draw, until = random.Random(self.seed), time.monotonic() + seconds
        blocks: list[Block] = []
        preempted = {"a": 0, "b": 0}
        while len(blocks) < _LEAST_BLOCKS or time.monotonic() < until:
            blocks.append(self._block(draw.choice(ORDERS), preempted))
        self.workers.close()
        told = (self.cores, at_once, others_cores)
        return ProcessPair(self.start_s, tuple(blocks), self._busy, preempted, *told)

    def _check(self) -> None:
        """First call, what really runs, and parity with the float64 reference."""
        both = self.workers
        batches = {
            side: {"images": str(built.reference.images), "batch_size": built.case.batch_size}
            for side, built in self.built.items()
        }
        for side, (first, _) in both.run_both("load", "first", batches).items():
            attested, _ = both.ask(side, "load", "attest", setup=self.built[side].setup)
            self.facts[side].update(attest=attested["attest"], first_call_s=first["first_call_s"])
            if attested["differences"]:
                raise SideStopped(side, "mislabelled", "load", "; ".join(attested["differences"]))
        asked = {side: {**batches[side], "count": self.images} for side in batches}
        for side, (_, (logits,)) in both.run_both("parity", "logits", asked).items():
            built = self.built[side]
            reference = built.reference
            known = (reference.logits[: self.images], reference.spread, reference.mutations)
            # A worker of an earlier version answers all.
            parity = compare(logits[: self.images], *known, built.case.precision, built.rounding)
            self._keep_parity(side, parity)

    def _keep_parity(self, side: str, parity: Parity) -> None:
        self.facts[side]["parity"] = {"error": finite(parity.error), "limit": parity.limit}
        if not parity.holds:
            raise SideStopped(side, "mismatch", "parity", parity.reason())

    def _block(self, order: str, preempted: dict[str, int]) -> Block:
        """Four rounds; ``preempted`` counts how often the kernel interrupted either side."""
        seconds: dict[str, list[float]] = {"a": [], "b": []}
        for side in order.lower():
            answer, _ = self.workers.ask(side, "time", "round")
            seconds[side].append(round(answer["seconds"], _DIGITS))
            preempted[side] += answer["preempted"]
        (a_first, a_second), (b_first, b_second) = seconds["a"], seconds["b"]
        return Block(order, (a_first, a_second), (b_first, b_second))
