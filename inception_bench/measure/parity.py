"""Is the output right? Asked before any clock runs.

The reference is eager in float64 on photographs. The error is the largest absolute difference of a
logit, over the smallest spread between two of the images: an error of 1 would confuse two pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# How much rounding each precision may add. Binary32 carries 24 bits: networks of this family were
# seen to err by 1e-6 to 1e-5 of the spread, their weakest fault by more than 0.1.
LIMITS = {"fp32": 1e-4}


@dataclass(frozen=True)
class Parity:
    """What the comparison gave. ``weakest_mutation`` is the least error that a known fault makes."""

    error: float
    limit: float
    weakest_mutation: float
    weakest_mutation_at: str
    mutations: Mapping[str, float]

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
                f"the parity limit {self.limit:.0e} cannot be told from a fault: {self.weakest_mutation_at} "
                f"changes the output by {self.weakest_mutation:.1e} only"
            )
        if not self.holds:
            return f"parity error {self.error:.2e} of the spread is over the limit {self.limit:.0e}"
        return ""


def compare(
    logits: np.ndarray, reference: np.ndarray, spread: float, mutations: Mapping[str, float], precision: str
) -> Parity:
    """Compare logits (images, classes) with the float64 reference of the same shape."""
    weakest_at = min(mutations, key=lambda name: mutations[name])
    return Parity(
        parity_error(logits, reference, spread), LIMITS[precision], mutations[weakest_at], weakest_at, mutations
    )


def parity_error(logits: np.ndarray, reference: np.ndarray, spread: float) -> float:
    """The largest absolute logit difference over ``spread``; infinite where shapes or values are unusable."""
    if logits.shape != reference.shape or not np.isfinite(logits).all():
        return float("inf")
    return float(np.abs(logits.astype(np.float64) - reference).max() / spread)
