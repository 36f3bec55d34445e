"""The shares of images that a network classes rightly, with a confidence interval. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Accuracy:
    """How often a network was right on ``images`` images.

    ``top1`` and ``top5`` are shares from 0 to 1; ``top1_ci95_low`` and ``top1_ci95_high`` are the ends of the 95 %
    Wilson interval of ``top1``.
    """

    top1: float
    top1_ci95_low: float
    top1_ci95_high: float
    top5: float
    images: int


def accuracy(right: int, among_five: int, images: int) -> Accuracy:
    """Of ``images`` images the true class came first for ``right``, and among the first five for ``among_five``."""
    low, high = wilson(right, images)
    return Accuracy(right / images, low, high, among_five / images, images)


def wilson(right: int, images: int) -> tuple[float, float]:
    """The ends of the 95 % score interval of the share ``right / images`` (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(right, images).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)
