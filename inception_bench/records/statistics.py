"""Statistics of raw rounds, computed when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.99
RESAMPLES = 9999
_SEED = 1


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Interval:
        """Of a figure that arithmetic gives: it is its own interval."""
        return cls(value, value, value)

    @property
    def relative_width(self) -> float:
        return (self.high - self.low) / self.value


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    return float(np.median(values))


def percentile_upper(values: Sequence[float], share: float) -> float | None:
    """An upper estimate of a high percentile at 99 % confidence, or None where there are too few values.

    The rule of MLPerf's early stopping: of ``n`` values set aside the largest ``t``, with the
    largest ``t`` of at least 1 for which a binomial with ``n`` trials of probability ``1 - share``
    gives at most ``t`` with a probability of at most 1 %. The answer is the largest value left. The
    90th percentile so needs 64 values, the 99th 662; both then answer with the second largest.
    """
    from scipy.stats import binom

    count = len(values)
    aside = int(binom.ppf(1 - CONFIDENCE, count, 1 - share))
    while aside >= 0 and binom.cdf(aside, count, 1 - share) > 1 - CONFIDENCE:
        aside -= 1
    return float(sorted(values)[count - 1 - aside]) if aside >= 1 else None


def median_interval(values: Sequence[float]) -> Interval:
    """The median with its percentile bootstrap interval (9,999 resamples, fixed seed)."""
    from scipy.stats import bootstrap

    data = np.asarray(values, np.float64)
    middle = median(values)
    if np.all(data == data[0]):
        return Interval(middle, middle, middle)
    resampled = bootstrap(
        (data,),
        np.median,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(_SEED),
        vectorized=True,
    )
    return Interval(middle, float(resampled.confidence_interval.low), float(resampled.confidence_interval.high))


def mean_interval(values: Sequence[float]) -> Interval:
    """The mean with its 95 % interval by Student's t. Raises ValueError for fewer than three values."""
    from scipy.stats import t

    if len(values) < 3:
        raise ValueError(f"{len(values)} values are too few for an interval; give at least 3")
    data = np.asarray(values, np.float64)
    half = float(t.ppf(0.975, len(data) - 1) * data.std(ddof=1) / len(data) ** 0.5)
    return Interval(float(data.mean()), float(data.mean()) - half, float(data.mean()) + half)


def share_interval(values: Sequence[float]) -> Interval:
    """The share of ones among zeros and ones, with its 95 % score interval (Wilson, 1927)."""
    from scipy.stats import binomtest

    score = binomtest(int(sum(values)), len(values)).proportion_ci(confidence_level=0.95, method="wilson")
    return Interval(sum(values) / len(values), float(score.low), float(score.high))


def share_difference_interval(ones: Sequence[float], others: Sequence[float]) -> Interval:
    """One share of ones less another, with its 95 % interval from both score intervals (Newcombe, 1998, method 10).

    Two equal shares of few are so no proof of equality: 0 of 5 less 0 of 5 reaches from -0.43 to 0.43.
    """
    one, other = share_interval(ones), share_interval(others)
    difference = one.value - other.value
    low = difference - ((one.value - one.low) ** 2 + (other.high - other.value) ** 2) ** 0.5
    high = difference + ((one.high - one.value) ** 2 + (other.value - other.low) ** 2) ** 0.5
    return Interval(difference, low, high)
