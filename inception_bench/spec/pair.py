"""A pair: two cells that differ in the network alone, timed round beside round on one runtime."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.spec.case import Case


@dataclass(frozen=True)
class Pair:
    """``new`` beside ``old``, what it replaces. ``name`` is the factorisation's."""

    name: str
    new: Case
    old: Case

    @property
    def id(self) -> str:
        """A readable name, unique within a run: ``two_3x3_for_5x5-onnxruntime-cpu-fp32-b1``."""
        runtime = self.new.runtime
        return f"{self.name}-{runtime.text}-{runtime.device}-{runtime.precision}-b{runtime.batch_size}"
