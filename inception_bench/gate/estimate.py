"""The effect that several pairs of processes show, and how sure it is.

Three things spoil the ratio of two programs on a shared machine, and each is met where it arises:

* A neighbour slows some rounds, and not both sides alike. Only the quieter half of all blocks counts, and what is
  within a tenth of the quiet level, chosen by the sum of both sides' times. That sum is the same whichever side is
  called A, so for equal programs the choice cannot favour one. (Seen while two other programs ran: of ten A/A pairs of
  processes two were 40 and 70 % apart by all their blocks; none of the six that had quiet blocks was by these.)
* Rounds have long tails. A pair's own figure is the 20 % trimmed mean of its blocks' log ratios, with the standard
  error from the winsorised variance (Yuen, Biometrika 61, 1974), that variance drawn towards the one of all pairs.
* Two processes of one program differ for as long as they live, by where their memory lies. So the process pair is
  the unit of replication (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013): figures are
  averaged with weights 1 / (s_k^2 + PROCESS_SPREAD^2), and the variance of the average is scaled by how far the pairs
  really scatter. As there are few pairs, that scale is drawn towards 1 with the weight of PRIOR_PAIRS pairs (moderated
  t: Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004), and Student's t has PRIOR_PAIRS + pairs - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inception_bench.gate.process_pair import ProcessPair

QUIETER_SHARE = 0.5
# Blocks within a tenth of the quiet level (the tenth percentile) count too: on a quiet machine that is nearly all.
QUIET_LEVEL, ALIKE = 0.1, 1.1
TRIMMED_SHARE = 0.2
LEAST_BLOCKS = 5
# Standard deviation of the log ratio of two processes of one program; seen in quiet A/A pairs of GoogLeNet: 0.002.
PROCESS_SPREAD = 0.002
PRIOR_PAIRS = 4
PRIOR_BLOCKS = 10


@dataclass(frozen=True)
class Estimate:
    """The log ratio of B's time over A's with its standard error and degrees of freedom.

    ``pairs`` and ``blocks`` are those that count; ``newest`` is the newest pair's own figure, None where none of its
    blocks counts.
    """

    log_ratio: float
    error: float
    freedom: int
    pairs: int
    blocks: int
    newest: float | None

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
    """A pair's own trimmed mean; ``variance`` is winsorised, of one block, scaled for the trimming."""

    value: float
    variance: float
    blocks: int


def estimate(pairs: Sequence[ProcessPair]) -> Estimate | None:
    """What ``pairs`` show; None while too few blocks are there."""
    totals = [block.total_s for pair in pairs for block in pair.blocks]
    if not totals:
        return None
    cut = max(float(np.quantile(totals, QUIETER_SHARE)), ALIKE * float(np.quantile(totals, QUIET_LEVEL)))
    figures = [_figure([block.log_ratio for block in pair.blocks if block.total_s <= cut]) for pair in pairs]
    used = [figure for figure in figures if figure is not None]
    return _combine(used, figures[-1]) if used else None


def _figure(ratios: Sequence[float]) -> _Figure | None:
    count = len(ratios)
    if count < LEAST_BLOCKS:
        return None
    ordered = np.sort(ratios)
    aside = int(TRIMMED_SHARE * count)
    kept = ordered[aside : count - aside]
    winsorised = np.clip(ordered, kept[0], kept[-1])
    variance = float(winsorised.var(ddof=1)) / (1 - 2 * aside / count) ** 2
    return _Figure(float(kept.mean()), variance, count)


def _combine(used: Sequence[_Figure], newest: _Figure | None) -> Estimate:
    blocks = sum(figure.blocks for figure in used)
    common = sum(figure.variance * (figure.blocks - 1) for figure in used) / (blocks - len(used))
    variances = [
        (figure.variance * (figure.blocks - 1) + common * PRIOR_BLOCKS) / (figure.blocks - 1 + PRIOR_BLOCKS)
        for figure in used
    ]
    weights = [
        1 / (variance / figure.blocks + PROCESS_SPREAD**2) for variance, figure in zip(variances, used, strict=True)
    ]
    mean = sum(weight * figure.value for weight, figure in zip(weights, used, strict=True)) / sum(weights)
    scatter = sum(weight * (figure.value - mean) ** 2 for weight, figure in zip(weights, used, strict=True))
    freedom = PRIOR_PAIRS + len(used) - 1
    error = math.sqrt((PRIOR_PAIRS + scatter) / freedom / sum(weights))
    return Estimate(mean, error, freedom, len(used), blocks, None if newest is None else newest.value)
