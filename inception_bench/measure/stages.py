"""The stages that a cell goes through: how it is timed, how one ends before its time, and what building gives."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.machine.processor import WARM
from inception_bench.measure.workshop import Reference
from inception_bench.spec.profile import Limits
from inception_bench.store.cache import Artifact


class CellStopped(Exception):
    """A cell that ends without a time; ``str()`` is the reason."""

    def __init__(self, outcome: str, stage: str, reason: str):
        super().__init__(reason)
        self.outcome = outcome
        self.stage = stage


@dataclass(frozen=True)
class CellSettings:
    """How a cell is to be timed. ``seed`` draws which of a pair runs first.

    On a GPU ``l2`` is how each timed call finds the second-level cache, and ``window_s`` the least time over
    which power and energy are looked at.
    """

    rounds: int
    warmup_rounds: int
    limits: Limits
    seed: str
    l2: str = WARM
    window_s: float = 5.0


@dataclass(frozen=True)
class Built:
    """What one side of a pair needs: what its worker loads, and what its output is compared with."""

    artifact: Artifact
    weights: Artifact
    reference: Reference
