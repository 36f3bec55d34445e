"""The effect that several pairs of processes show together: the log ratio of b's time over a's, and its error.

The rows of the board, factorisations, timed claims and duets are all estimated here.

Two things disturb that ratio on a shared machine, and each is treated where it arises:

* Within a pair of processes, other programs slow some rounds, for a tenth of a second or for many rounds, and not both
  sides alike: rounds have a long tail of slow values. No single statistic is the most precise against short and long
  disturbances alike. So three are computed (``FIGURES``), and each pair keeps the one with the smallest variance. Two
  of them compare the undisturbed speeds: the means of the fastest quarter, or half, of each side's rounds, where every
  round is relative to the level of the blocks around it. The third is the mean of the log ratios of neighbouring rounds
  by Tukey's biweight, which gives no weight to outliers, such as a disturbance that begins between the two rounds. If
  the programs are equal, no statistic favours a side: in a block one side's rounds lie between the other's, and the
  choice is made for both sides at once. The variance is the jackknife's: each block is left out in turn, and the
  variance follows from how much the statistic changes (Tukey, Ann. Math. Stat. 29, 1958). Few blocks give an uncertain
  variance, so it is drawn towards the mean variance of all pairs. (A check on 180 pairs: after the true slow-down was
  subtracted, log ratios divided by their errors had a root mean square of 1.01.)
* Between pairs, two processes of one program differ for as long as they live, by where their memory lies. So the unit
  of replication is the pair of processes, not the round (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time,
  ISMM 2013). The pairs' log ratios are averaged with weights 1 / (s_k^2 + p_k^2), where s_k is the standard error of
  pair k and p_k the ``ProcessSpread`` of its conditions. The variance of the average is scaled by how far the pairs
  really scatter. Few pairs give an uncertain scale, so it is drawn towards 1 as if ``prior_pairs`` more pairs had
  scattered as expected (the moderated t-test: Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004), and Student's t has
  ``prior_pairs`` + pairs - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from inception_bench.records.process_pair import Block

# The level around a block is a running median over this many blocks.
LEVEL = 5
# Tukey's biweight: ratios further from the middle than BIWEIGHT standard deviations have no weight. The standard
# deviation is that of a normal distribution with the same median absolute deviation, and at least LEAST_SCALE.
BIWEIGHT, LEAST_SCALE, BIWEIGHT_STEPS = 4.0, 0.002, 10
NORMAL_PER_MAD = 1.4826
LEAST_BLOCKS = LEVEL + 1
INTERVAL_LEVEL = 0.025  # at each end: 95 %
# How strongly a pair's variance is drawn towards that of all pairs (in blocks).
PRIOR_BLOCKS = 10


@dataclass(frozen=True)
class ProcessSpread:
    """How far two processes of one program differ under the conditions in which pairs are timed.

    ``deviation`` is the standard deviation of the log ratio of two such processes. Shorter rounds differ by more: for
    those shorter than ``round_s`` seconds the variance grows as 1 / round. ``prior_pairs`` is how strongly the scatter
    of the pairs is drawn towards what these figures lead one to expect, in pairs.
    """

    deviation: float
    round_s: float
    prior_pairs: int

    def of(self, round_s: float) -> float:
        """The standard deviation of the log ratio for rounds of ``round_s`` seconds."""
        return self.deviation * math.sqrt(max(self.round_s / round_s, 1.0))


# A duet's processes, each on cores of its own. Measured on ONNX Runtime: 0.27 % at 3.6 ms, 0.36 % at 1.7 ms, 0.59 % at
# 0.5 ms and 0.85 % at 0.16 ms; on eager 0.54 % at 1.5 ms (96 to 178 pairs each, the pairs' own errors subtracted). No
# measured value lies above the curve of these figures, with which the check above was made.
DUET = ProcessSpread(deviation=0.0025, round_s=0.007, prior_pairs=16)


@dataclass(frozen=True)
class Estimate:
    """The log ratio of b's time over a's, its standard error and the degrees of freedom.

    ``pairs`` and ``blocks`` say how many were used: a pair with fewer than LEAST_BLOCKS blocks is not.
    """

    log_ratio: float
    error: float
    freedom: int
    pairs: int
    blocks: int

    def half_width(self, level: float) -> float:
        """Half the width of the interval whose ends are each exceeded with probability ``level``."""
        from scipy.stats import t

        return float(t.isf(level, self.freedom)) * self.error

    def p_slower(self) -> float:
        """The nominal one-sided p-value: how probable this log ratio or a larger one is where b is not slower."""
        from scipy.stats import t

        return float(t.sf(self.log_ratio / self.error, self.freedom))


@dataclass(frozen=True)
class PairFigure:
    """What one pair of processes shows: its log ratio, the standard error within the pair, and its typical round."""

    log_ratio: float
    error: float
    blocks: int
    round_s: float


def estimate(pairs: Sequence[tuple[Block, ...]], spread: ProcessSpread = DUET) -> Estimate | None:
    """What the blocks of several pairs of processes show together; None while no pair has LEAST_BLOCKS blocks."""
    used = pair_figures(pairs)
    return _combine(used, spread) if used else None


def pair_figures(pairs: Sequence[tuple[Block, ...]]) -> list[PairFigure]:
    """What each pair of processes shows by itself; a pair of fewer than LEAST_BLOCKS blocks is left out."""
    used = [figure for blocks in pairs if (figure := _figure(blocks)) is not None]
    if not used:
        return []
    blocks = sum(figure.blocks for figure in used)
    common = sum(figure.variance * (figure.blocks - 1) for figure in used) / (blocks - len(used))
    return [
        PairFigure(
            figure.value,
            math.sqrt(
                (figure.variance * (figure.blocks - 1) + common * PRIOR_BLOCKS)
                / (figure.blocks - 1 + PRIOR_BLOCKS)
                / figure.blocks
            ),
            figure.blocks,
            figure.round_s,
        )
        for figure in used
    ]


@dataclass(frozen=True)
class _Figure:
    """One pair's log ratio. ``variance`` is the jackknife's times ``blocks``, ``round_s`` the seconds of a round."""

    value: float
    variance: float
    blocks: int
    round_s: float


@lru_cache(maxsize=128)  # every look needs all pairs again, twice
def _figure(blocks: tuple[Block, ...]) -> _Figure | None:
    count = len(blocks)
    if count < LEAST_BLOCKS:
        return None
    a, b = np.array([block.a_s for block in blocks]), np.array([block.b_s for block in blocks])
    return min((_jackknife(figure, a, b) for figure in FIGURES), key=lambda candidate: candidate.variance)


def _jackknife(figure: Callable[[np.ndarray, np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray) -> _Figure:
    """``figure`` of all blocks (seconds: blocks, 2), and its variance from leaving out each block in turn."""
    count = len(a)
    kept = ~np.eye(count, dtype=bool)
    without = figure(np.array([a[rest] for rest in kept]), np.array([b[rest] for rest in kept]))
    spread = float(((without - without.mean()) ** 2).sum())
    round_s = float(np.median(np.minimum(a, b)))
    return _Figure(float(figure(a[None], b[None])[0]), (count - 1) * spread, count, round_s)


def _undisturbed(share: float, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For each sample (seconds: samples, blocks, 2): the log ratio of the means of b's and a's fastest ``share``."""
    levels = _levels(np.minimum(a.min(axis=2), b.min(axis=2)))[:, :, None]
    logarithms: np.ndarray = np.log(_fastest(b / levels, share) / _fastest(a / levels, share))
    return logarithms


def _neighbouring(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For each sample of blocks: the biweight mean of the log ratios of rounds that followed each other.

    In ABBA as in BAAB, the first round of a is beside the first round of b, and the second beside the second.
    """
    ratios = np.log(b / a).reshape(len(a), -1)
    middle: np.ndarray = np.median(ratios, axis=1, keepdims=True)
    for _ in range(BIWEIGHT_STEPS):
        scale = np.maximum(np.median(np.abs(ratios - middle), axis=1, keepdims=True) * NORMAL_PER_MAD, LEAST_SCALE)
        weights = np.clip(1 - ((ratios - middle) / (BIWEIGHT * scale)) ** 2, 0, None) ** 2
        middle = (weights * ratios).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    return middle[:, 0]


FIGURES = (partial(_undisturbed, 0.25), partial(_undisturbed, 0.5), _neighbouring)


def _levels(quickest: np.ndarray) -> np.ndarray:
    """The running median of each row over LEVEL blocks; near an end, the median of the LEVEL blocks at that end."""
    windows = np.lib.stride_tricks.sliding_window_view(quickest, LEVEL, axis=1)
    return np.pad(np.median(windows, axis=2), ((0, 0), (LEVEL // 2, LEVEL // 2)), mode="edge")


def _fastest(rounds: np.ndarray, share: float) -> np.ndarray:
    """For each sample (samples, blocks, 2): the mean of the fastest ``share`` of its rounds."""
    every = rounds.reshape(len(rounds), -1)
    count = round(share * every.shape[1])
    means: np.ndarray = np.partition(every, count - 1, axis=1)[:, :count].mean(axis=1)
    return means


def _combine(used: Sequence[PairFigure], spread: ProcessSpread) -> Estimate:
    weights = [1 / (figure.error**2 + spread.of(figure.round_s) ** 2) for figure in used]
    mean = sum(weight * figure.log_ratio for weight, figure in zip(weights, used, strict=True)) / sum(weights)
    scatter = sum(weight * (figure.log_ratio - mean) ** 2 for weight, figure in zip(weights, used, strict=True))
    freedom = spread.prior_pairs + len(used) - 1
    error = math.sqrt((spread.prior_pairs + scatter) / freedom / sum(weights))
    return Estimate(mean, error, freedom, len(used), sum(figure.blocks for figure in used))
