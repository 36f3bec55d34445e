"""Is the output right? Asked before any clock runs.

The reference is eager in float64 on photographs. The error is the largest absolute difference of a
logit, over the smallest spread between two of the images: an error of 1 would confuse two pictures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inception_bench.store.known import known_fields

# How much rounding each precision may add. Binary32 carries 24 bits: networks of this family were seen to
# err by 1e-6 to 1e-5 of the spread, their weakest fault by more than 0.1. tf32 and fp16 carry 11 bits, 8192
# times fewer steps: seen up to 2e-2, and a fault still more. bf16 carries 8 bits: the figure depends on the
# network, so eager bf16 is measured and twice its error allowed, as engines round at other places.
LIMITS = {"fp32": 1e-4, "tf32": 5e-2, "fp16": 5e-2}
ALLOWANCE = 2.0
# On a GPU binary32's own rounding depends on the algorithms that cuDNN's search chooses, Winograd among them. There
# the limit follows what eager beside it errs by, up to this; TF32 and half precision start well above it.
MOST_ON_GPU = 1e-3
# The precision that eager on a CPU can measure for one that it cannot: tf32's products have fp16's mantissa.
MEASURED_AS = {"bf16": "bf16", "fp16": "fp16", "tf32": "fp16", "fp32": "fp32"}


@dataclass(frozen=True)
class Parity:
    """What the comparison gave. ``weakest_mutation`` is the least error that a known fault makes.

    ``by`` says what was compared: the logits, or every end point; of the latter ``row`` is the one nearest
    to (or furthest over) its limit, and error, limit and mutations are in units of that row's spread.
    """

    error: float
    limit: float
    weakest_mutation: float
    weakest_mutation_at: str
    mutations: Mapping[str, float]
    by: str = "logits"
    row: str = ""

    @property
    def can_tell(self) -> bool:
        """Whether the limit lies at most at half of the weakest fault's error."""
        return self.limit <= self.weakest_mutation / 2

    @property
    def holds(self) -> bool:
        return self.can_tell and self.error <= self.limit

    def reason(self) -> str:
        """Why it does not hold; empty where it does."""
        if not self.can_tell:
            return (
                f"the parity limit {_short(self.limit)} cannot be told from a fault: {self.weakest_mutation_at} "
                f"changes the output by {self.weakest_mutation:.1e} only"
            )
        if not self.holds:
            where = f" at {self.row}" if self.row else ""
            return f"parity error {self.error:.2e} of the spread{where} is over the limit {_short(self.limit)}"
        return ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; an infinite error is None."""
        return {**asdict(self), "error": finite(self.error)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Parity:
        """What ``to_json`` gave. Raises TypeError for anything else."""
        error = math.inf if data["error"] is None else data["error"]
        return cls(**{**known_fields(cls, data), "error": error})


def limit_of(precision: str, rounding: float | None = None) -> float:
    """The limit of ``precision``; ``rounding`` is eager's own error, needed where it is measured per network.

    For fp32 it is given on a GPU alone: the error of eager on that GPU, infinite where eager is what is judged.
    """
    if precision == "fp32" and rounding is not None:
        return min(max(LIMITS["fp32"], ALLOWANCE * rounding), MOST_ON_GPU)
    if precision in LIMITS:
        return LIMITS[precision]
    if rounding is None:
        raise ValueError(f"the parity limit of {precision} is measured per network; give eager's rounding error")
    return ALLOWANCE * rounding


def compare(
    logits: np.ndarray,
    reference: np.ndarray,
    spread: float,
    mutations: Mapping[str, float],
    precision: str,
    rounding: float | None = None,
) -> Parity:
    """Compare logits (images, classes) with the float64 reference of the same shape."""
    limit = limit_of(precision, rounding)
    weakest_at = min(mutations, key=lambda name: mutations[name])
    return Parity(parity_error(logits, reference, spread), limit, mutations[weakest_at], weakest_at, mutations)


@dataclass(frozen=True)
class RowScale:
    """One end point of a reference: ``values`` an image, in its order, and what they are measured against.

    ``rounding`` is eager's error in the cell's precision, ``mutations`` what each fault does here; both
    in units of ``spread``, the largest difference between the two images.
    """

    name: str
    values: int
    spread: float
    rounding: float
    mutations: Mapping[str, float]


def compare_rows(maps: np.ndarray, reference: np.ndarray, scales: Sequence[RowScale], floor: float) -> Parity:
    """Compare every end point's map (images, all values) with the reference's own.

    Each row's limit is twice eager's rounding there, at least ``floor``. A fault can be told where some row
    shows it at twice the limit or more; the weakest fault is the one whose best row shows it least.
    """
    limits = {scale.name: max(ALLOWANCE * scale.rounding, floor) for scale in scales}
    faults = {
        fault: max((scale.mutations[fault] / limits[scale.name], scale.name) for scale in scales)
        for fault in scales[0].mutations
    }
    weakest = min(faults, key=lambda fault: faults[fault][0])
    errors, start = {}, 0
    for scale in scales:
        part = slice(start, start + scale.values)
        start += scale.values
        errors[scale.name] = parity_error(maps[:, part], reference[:, part], scale.spread)
    worst = max(errors, key=lambda name: errors[name] / limits[name])
    # In units of the worst row's limit, so that error, limit and fault stand on one scale.
    shown = {f"{fault} (seen at {row})": share * limits[worst] for fault, (share, row) in faults.items()}
    least, row = faults[weakest]
    return Parity(
        errors[worst], limits[worst], least * limits[worst], f"{weakest} (seen at {row})", shown, "rows", worst
    )


def parity_error(logits: np.ndarray, reference: np.ndarray, spread: float) -> float:
    """The largest absolute logit difference over ``spread``; infinite where shapes or values are unusable."""
    if logits.shape != reference.shape or not np.isfinite(logits).all():
        return float("inf")
    return float(np.abs(logits.astype(np.float64) - reference).max() / spread)


def finite(value: float) -> float | None:
    """A value as JSON can hold it: None where it is infinite."""
    return value if np.isfinite(value) else None


def _short(limit: float) -> str:
    """``1e-04``, ``2.2e-01``."""
    return np.format_float_scientific(limit, precision=1, trim="-", exp_digits=2)
