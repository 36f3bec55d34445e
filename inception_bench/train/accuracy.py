"""Shares of right answers, with their interval. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Accuracy:
    """Shares from 0 to 1 on ``images`` images, with the 95 % Wilson interval of the first."""

    top1: float
    top1_ci95_low: float
    top1_ci95_high: float
    top5: float
    images: int


def accuracy(right: int, among_five: int, images: int) -> Accuracy:
    """From counts of images whose class came first, and came among the first five."""
    low, high = wilson(right, images)
    return Accuracy(right / images, low, high, among_five / images, images)


def wilson(right: int, images: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(right, images).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)
