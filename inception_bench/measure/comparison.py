"""How the output of a cell's engines is compared with eager's in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inception_bench.measure.engine import TimeLimit
from inception_bench.measure.parity import LIMITS, Parity, compare, compare_rows
from inception_bench.measure.ready import Assignment, ready
from inception_bench.measure.replies import Logits
from inception_bench.measure.stages import Built
from inception_bench.measure.workshop import Workshop
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact

# The processes of a cell's first pair are compared on all photographs. Those of later pairs load the same files: two
# photographs are enough.
LATER_IMAGES = 2
# Images in a batch that is compared row by row: every map of every image is moved, so more would take long.
_ROWS_BATCH = 2


@dataclass(frozen=True)
class Comparison:
    """Compares the output of a cell's engines; ``limit`` is that of the stage which is under way."""

    workshop: Workshop
    limit: TimeLimit

    def parity(
        self, case: Case, built: Built, answered: Logits, known: Parity | None, eager_error: float | None = None
    ) -> Parity:
        """Compare an engine's logits, or every end point where logits cannot tell a fault from rounding.

        ``known`` is what the processes of earlier pairs gave, None for the first pair; the larger error counts.
        ``eager_error`` is the parity error of the paired reference in fp32, where that is the partner; else None.
        """
        rounding = None
        precision = case.runtime.precision
        if precision not in LIMITS:
            rounding = self.workshop.rounding(case, built.weights, built.reference)
        elif precision == "fp32" and case.runtime.device == "cuda":
            rounding = math.inf if eager_error is None else eager_error
        reference, images = built.reference, None if known is None else LATER_IMAGES
        expected = (reference.logits[:images], reference.spread, reference.mutations)
        parity = compare(answered.values[:images], *expected, precision, rounding)
        if known is None:
            return parity if parity.can_tell else self.rows(case, built.weights)
        if not parity.can_tell:  # the first pair's process was compared row by row, and this one loaded the same file
            return known
        return parity if not parity.holds else max(known, parity, key=lambda each: each.error)

    def rows(self, case: Case, weights: Artifact) -> Parity:
        """Parity by all end points: in a fresh worker the same engine runs the network with every map as an output."""
        case = case.with_runtime(batch_size=min(case.runtime.batch_size, _ROWS_BATCH))
        reference = self.workshop.reference(case.network, weights)
        rows = self.workshop.row_reference(case, weights, reference)
        artifact = self.workshop.artifact(case, weights, rows.images, rows=True)
        engine = self.workshop.engine(case.runtime, self.limit)
        try:
            answered = ready([{"rows": Assignment(engine, case, artifact.folder, rows.images, rows=True)}])
        finally:
            engine.kill()
        return compare_rows(answered["rows"].values, rows.maps, rows.scales, LIMITS["fp32"])
