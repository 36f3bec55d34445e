"""The effect that several pairs of processes show, and how sure it is.

Two things spoil the ratio of two programs on a shared machine, and each is met where it arises:

* A neighbour slows some rounds, for a tenth of a second or for many rounds, and not both sides alike; rounds have long
  tails. No one figure is best against both, so each pair of processes has the surest of three (``FIGURES``): what
  either side does undisturbed, by the fastest quarter or half of its rounds, each relative to the level around it; and
  the biweight mean of the ratios of neighbouring rounds, which leaves out those with a change between the two. For
  equal programs none can favour a side: its rounds lie between the other's, and one rule chooses among both. The error
  is the jackknife's over whole blocks (Tukey, Ann. Math. Stat. 29, 1958), its variance drawn towards that of all pairs.
  (Of 180 pairs, true slow-downs taken off, the figures lay 1.01 of their errors from 0, root mean square.)
* Two processes of one program differ for as long as they live, by where their memory lies. So the process pair is
  the unit of replication (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013): figures are
  averaged with weights 1 / (s_k^2 + p_k^2), p_k the ``process_spread``, and the variance of the average is scaled by
  how far the pairs really scatter. As there are few pairs, that scale is drawn towards 1 with the weight of
  PRIOR_PAIRS pairs (moderated t: Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004), and Student's t has
  PRIOR_PAIRS + pairs - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from inception_bench.records.process_pair import Block, ProcessPair

LEVEL = 5
# Tukey's biweight: ratios further from the middle than so many deviations (of a normal one, by the median absolute
# deviation, and at least LEAST_SCALE) do not count.
BIWEIGHT, LEAST_SCALE, BIWEIGHT_STEPS = 4.0, 0.002, 10
NORMAL_PER_MAD = 1.4826
LEAST_BLOCKS = LEVEL + 1
# Standard deviation of the log ratio of two processes of one program; with it the errors came out as said above. Quick
# rounds differ by more: 0.27 % at 3.6 ms, 0.36 % at 1.7, 0.59 % at 0.5 and 0.85 % at 0.16 on ONNX Runtime, 0.54 % at
# 1.5 ms on eager (96 to 178 pairs each, their own errors taken off). So from SPREAD_ROUND_S down its variance grows as
# 1 / round; none of these lies above that line.
PROCESS_SPREAD, SPREAD_ROUND_S = 0.0025, 0.007
PRIOR_PAIRS = 16
PRIOR_BLOCKS = 10


@dataclass(frozen=True)
class Estimate:
    """The log ratio of B's time over A's with its standard error and degrees of freedom.

    ``pairs`` and ``blocks`` are those that count: a pair needs LEAST_BLOCKS.
    """

    log_ratio: float
    error: float
    freedom: int
    pairs: int
    blocks: int

    def half_width(self, level: float) -> float:
        """Of the interval whose ends are each exceeded with probability ``level``."""
        from scipy.stats import t

        return float(t.isf(level, self.freedom)) * self.error

    def p_slower(self) -> float:
        """One-sided, nominal: how likely such a figure or a larger one is where B is not slower."""
        from scipy.stats import t

        return float(t.sf(self.log_ratio / self.error, self.freedom))


@dataclass(frozen=True)
class _Figure:
    """A pair's own log ratio; ``variance`` is the jackknife's times ``blocks``, ``process`` the ``process_spread``."""

    value: float
    variance: float
    blocks: int
    process: float


def estimate(pairs: Sequence[ProcessPair]) -> Estimate | None:
    """What ``pairs`` show; None while too few blocks are there."""
    used = [figure for pair in pairs if (figure := _figure(pair.blocks)) is not None]
    return _combine(used) if used else None


def process_spread(round_s: float) -> float:
    """How far the log ratio of two processes of one program lies from 0, for rounds of so many seconds."""
    return PROCESS_SPREAD * math.sqrt(max(SPREAD_ROUND_S / round_s, 1.0))


@lru_cache(maxsize=128)  # each look asks for all pairs again, twice
def _figure(blocks: tuple[Block, ...]) -> _Figure | None:
    count = len(blocks)
    if count < LEAST_BLOCKS:
        return None
    a, b = np.array([block.a_s for block in blocks]), np.array([block.b_s for block in blocks])
    return min((_jackknife(figure, a, b) for figure in FIGURES), key=lambda candidate: candidate.variance)


def _jackknife(figure: Callable[[np.ndarray, np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray) -> _Figure:
    """``figure`` of all blocks (blocks, 2), and how far it changes where each is left out."""
    count = len(a)
    kept = ~np.eye(count, dtype=bool)
    without = figure(np.array([a[rest] for rest in kept]), np.array([b[rest] for rest in kept]))
    spread = float(((without - without.mean()) ** 2).sum())
    round_s = float(np.median(np.minimum(a, b)))
    return _Figure(float(figure(a[None], b[None])[0]), (count - 1) * spread, count, process_spread(round_s))


def _undisturbed(share: float, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each sample of blocks (samples, blocks, 2): b's fastest ``share`` over a's, the logarithm of their means."""
    levels = _levels(np.minimum(a.min(axis=2), b.min(axis=2)))[:, :, None]
    logarithms: np.ndarray = np.log(_fastest(b / levels, share) / _fastest(a / levels, share))
    return logarithms


def _neighbouring(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each sample of blocks: the biweight mean of the log ratios of rounds that followed each other.

    In ABBA and in BAAB alike these are the first of both sides, and the second.
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
    """The running median of each row; the ends have that of the LEVEL blocks there."""
    windows = np.lib.stride_tricks.sliding_window_view(quickest, LEVEL, axis=1)
    return np.pad(np.median(windows, axis=2), ((0, 0), (LEVEL // 2, LEVEL // 2)), mode="edge")


def _fastest(rounds: np.ndarray, share: float) -> np.ndarray:
    """Of each sample (samples, blocks, 2): the mean of the fastest ``share`` of its rounds."""
    every = rounds.reshape(len(rounds), -1)
    count = round(share * every.shape[1])
    means: np.ndarray = np.partition(every, count - 1, axis=1)[:, :count].mean(axis=1)
    return means


def _combine(used: Sequence[_Figure]) -> Estimate:
    blocks = sum(figure.blocks for figure in used)
    common = sum(figure.variance * (figure.blocks - 1) for figure in used) / (blocks - len(used))
    variances = [
        (figure.variance * (figure.blocks - 1) + common * PRIOR_BLOCKS) / (figure.blocks - 1 + PRIOR_BLOCKS)
        for figure in used
    ]
    weights = [
        1 / (variance / figure.blocks + figure.process**2) for variance, figure in zip(variances, used, strict=True)
    ]
    mean = sum(weight * figure.value for weight, figure in zip(weights, used, strict=True)) / sum(weights)
    scatter = sum(weight * (figure.value - mean) ** 2 for weight, figure in zip(weights, used, strict=True))
    freedom = PRIOR_PAIRS + len(used) - 1
    error = math.sqrt((PRIOR_PAIRS + scatter) / freedom / sum(weights))
    return Estimate(mean, error, freedom, len(used), blocks)
