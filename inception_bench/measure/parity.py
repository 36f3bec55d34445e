"""Whether a network's output is right. It is checked before anything is timed.

The reference is eager in float64 on photographs. The spread of two images is the largest absolute difference between
their logits. The parity error is the largest absolute difference between a logit and the reference's, over the smallest
spread of any two images: with an error of 1, two pictures could be confused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inception_bench.store.known import read_known

# The parity error that rounding may cause in each precision. Binary32 has 24 significant bits: Inception networks were
# seen to err by 1e-6 to 1e-5, while their weakest fault errs by more than 0.1. tf32 and fp16 have 11 bits, so that
# steps between numbers are 8192 times as large: errors up to 2e-2 were seen, and faults still err by more. bf16 has 8
# bits: its error depends on the network, so eager's error in bf16 is measured, and ALLOWANCE times that is allowed, as
# other engines round at other places.
LIMITS = {"fp32": 1e-4, "tf32": 5e-2, "fp16": 5e-2}
ALLOWANCE = 2.0
# On a GPU the rounding of binary32 depends on the algorithms that cuDNN's search chooses (Winograd is one). The limit
# of fp32 there is ALLOWANCE times the error of eager on that GPU, but at most this; TF32 and fp16 err by far more.
MOST_ON_GPU = 1e-3
# In which precision eager on a CPU measures the rounding of each precision. A CPU has no tf32, so fp16 stands for it:
# both have the same number of significant bits.
MEASURED_AS = {"bf16": "bf16", "fp16": "fp16", "tf32": "fp16", "fp32": "fp32"}


@dataclass(frozen=True)
class Parity:
    """The result of a comparison; ``error``, ``limit`` and ``mutations`` are in units of the spread.

    ``mutations`` are the errors that known faults, put into the network on purpose, make in its output.
    ``weakest_mutation`` is the least of them and ``weakest_mutation_at`` the name of that fault. ``by`` says what was
    compared: ``logits``, or ``rows`` for the maps of every end point. In the latter case ``row`` is the end point whose
    error is the largest share of its limit, and all figures are in units of that row's spread.
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
        """Whether the limit tells a fault from rounding: it is at most half of the weakest fault's error."""
        return self.limit <= self.weakest_mutation / 2

    @property
    def holds(self) -> bool:
        return self.can_tell and self.error <= self.limit

    def reason(self) -> str:
        """Why parity does not hold; empty where it holds."""
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
        return read_known(cls, data, error=error)


def limit_of(precision: str, rounding: float | None = None) -> float:
    """The largest parity error that is allowed in ``precision``, in units of the spread.

    ``rounding`` is eager's own parity error; it is needed for a precision that is not in LIMITS. For fp32 it is given
    on a GPU alone, as the error of eager on that GPU; it is infinite where eager itself is judged.
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
    """Compare logits (images, classes) with the float64 reference of the same shape.

    ``spread`` is the reference's smallest spread, ``mutations`` the parity error of each known fault by its name.
    """
    limit = limit_of(precision, rounding)
    weakest_at = min(mutations, key=lambda name: mutations[name])
    return Parity(parity_error(logits, reference, spread), limit, mutations[weakest_at], weakest_at, mutations)


@dataclass(frozen=True)
class RowScale:
    """How the map of one end point (one row of the network's table) is judged.

    ``values`` is how many values its map has for one image. ``spread`` is the largest absolute difference between the
    maps of the two images. ``rounding`` is eager's error here in the cell's precision, ``mutations`` the error here of
    each known fault; both are in units of ``spread``.
    """

    name: str
    values: int
    spread: float
    rounding: float
    mutations: Mapping[str, float]


def compare_rows(maps: np.ndarray, reference: np.ndarray, scales: Sequence[RowScale], floor: float) -> Parity:
    """Compare the maps of every end point, joined to (images, all values), with the reference's.

    ``scales`` stand in the order of the end points. Each row's limit is ALLOWANCE times eager's rounding there, and at
    least ``floor``. A fault can be told from rounding where its error in some row is twice that row's limit or more.
    Each fault is judged in the row where its error is the largest share of the limit; the weakest fault is the one
    whose share there is the smallest.
    """
    limits = {scale.name: max(ALLOWANCE * scale.rounding, floor) for scale in scales}
    faults = {
        fault: max((scale.mutations[fault] / limits[scale.name], scale.name) for scale in scales)
        for fault in scales[0].mutations
    }
    weakest = min(faults, key=lambda fault: faults[fault][0])
    errors, start = {}, 0
    for scale in scales:
        columns = slice(start, start + scale.values)
        start += scale.values
        errors[scale.name] = parity_error(maps[:, columns], reference[:, columns], scale.spread)
    worst = max(errors, key=lambda name: errors[name] / limits[name])
    # Each share of a limit times the worst row's limit, so that error, limit and faults can be compared.
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
    """A limit in words, such as ``1e-04`` or ``2.2e-01``."""
    return np.format_float_scientific(limit, precision=1, trim="-", exp_digits=2)
