"""A pair: two cells that differ in the network alone, timed round beside round on one runtime."""

from __future__ import annotations

import json
from dataclasses import dataclass

from inception_bench.spec.case import Case


@dataclass(frozen=True)
class Pair:
    """The cell ``new`` beside the cell ``old`` that it replaces; ``name`` is that of the factorisation."""

    name: str
    new: Case
    old: Case

    @property
    def id(self) -> str:
        """A readable name, unique within a run: ``two_3x3_for_5x5-onnxruntime-cpu-fp32-b1``."""
        runtime = self.new.runtime
        return f"{self.name}-{runtime.text}-{runtime.device}-{runtime.precision}-b{runtime.batch_size}"

    @property
    def key(self) -> str:
        """A text that only equal pairs share, in every run; different pairs may have the same ``id``."""
        return json.dumps([self.name, self.new.to_json(), self.old.to_json()], sort_keys=True)
