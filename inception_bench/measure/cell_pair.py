"""The two processes of a cell that are alive together, and the blocks of rounds that are timed in them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from inception_bench.measure.engine import Engine
from inception_bench.measure.measurement import PairFacts
from inception_bench.measure.rounds import Taken

OWN, PARTNER = "candidate", "partner"
# Each process has answered photographs by then, at least two of them, after its first call.
WARMUP_ROUNDS = 1


@dataclass
class CellPair:
    """A candidate's process and its partner's, both fresh. ``engines`` are by name, ``number`` counts pairs from 0.

    ``started_first`` is the name of the process that was started first: on a busy machine it was seen to have another
    speed than the second for as long as both lived, so a cell starts its pairs in turn one way and the other.
    """

    number: int
    engines: Mapping[str, Engine]
    started_first: str
    _peak_was_reset: bool = field(default=False, init=False)
    _start_s: float = field(default=0.0, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)

    def begin(self, l2: str, busy_share: float) -> int | None:
        """Warm both up, and reset the candidate's memory peak just before the first timed round.

        The partner is slowed down by ``busy_share`` of each round's own time, to prove what intervals hold. Returns the
        peak of the candidate's memory since it began, in bytes; None where the system does not tell. Raises
        EngineFailed, as all methods do that call a process.
        """
        if busy_share:
            self.engines[PARTNER].slow(busy_share)
        for engine in self.engines.values():
            engine.warm_up(WARMUP_ROUNDS)
        self.engines[PARTNER].begin(l2)
        begun = self.engines[OWN].begin(l2)
        self._peak_was_reset = begun.peak_was_reset
        self._start_s = time.monotonic() - self._began
        return begun.peak_rss_since_start_bytes

    def take_block(self, taken: Taken, *, candidate_first: bool) -> None:
        """Time a block: two pairs of rounds, in the order candidate, partner, partner, candidate or the other way.

        A linear drift of the machine so cancels in their ratio.
        """
        for first in (candidate_first, not candidate_first):
            order = (OWN, PARTNER) if first else (PARTNER, OWN)
            replies = {name: self.engines[name].round() for name in order}
            taken.add(replies[OWN], replies[PARTNER], reference_first=not first, process_pair=self.number)

    def end(self) -> PairFacts:
        """The facts of this pair, after its last round."""
        peak = self.engines[OWN].end().peak_rss_bytes
        return PairFacts(
            self.engines[OWN].pid,
            self.engines[PARTNER].pid,
            self.started_first,
            self._start_s,
            peak if self._peak_was_reset else None,
        )
