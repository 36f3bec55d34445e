"""What a cell's stages need and give: the settings of its timing, what building gives, and an early end."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.machine.processor import WARM
from inception_bench.measure.references import Reference
from inception_bench.spec.profile import Limits
from inception_bench.store.cache import Artifact


class CellStopped(Exception):
    """Raised where a cell ends without a time, with its outcome and stage; ``str()`` is the reason."""

    def __init__(self, outcome: str, stage: str, reason: str):
        super().__init__(reason)
        self.outcome = outcome
        self.stage = stage


@dataclass(frozen=True)
class CellSettings:
    """How a cell is to be timed. ``seed`` decides the draws of which engine of a pair of processes runs first.

    Each pair of processes times at least ``rounds_a_pair`` rounds of each side, and blocks of two for at least
    ``seconds_a_pair``: the more starting a pair costs, the more should be measured in it. The partner is slowed down by
    ``busy_share`` of each round's own time, to prove what intervals hold; by nothing otherwise. On a GPU ``l2`` is the
    state in which each timed call finds the second-level cache (see ``L2_STATES``), and ``window_s`` the least number
    of seconds over which power and energy are measured.
    """

    rounds_a_pair: int
    seconds_a_pair: float
    limits: Limits
    seed: str
    l2: str = WARM
    window_s: float = 5.0
    busy_share: float = 0.0


@dataclass(frozen=True)
class Built:
    """What was built for a candidate or for its partner: what the worker loads, and the reference of its output."""

    artifact: Artifact
    weights: Artifact
    reference: Reference
