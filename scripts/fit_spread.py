"""``python scripts/fit_spread.py DIR``: how far two processes of one program differ, from trials of coverage.

Prints for one thread and for several the figures of ``records/speedup.py``: those for which the trials are the most
probable, among half of the trials of each stratum. The rest of them is for the proof (``inception-bench coverage``).

The model is the estimator's own: the log ratio of pair k of a trial is normal around the known truth, with the variance
c (e_k^2 + p_k^2). There e_k is the error within the pair, p_k the spread of processes, and c is drawn once a trial from
an inverse chi-square distribution around 1 with ``prior_pairs`` degrees of freedom. The log ratios of a trial together
are then distributed by a multivariate t.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from inception_bench.gate.coverage.rows import halves
from inception_bench.gate.trials import read_trials
from inception_bench.records.coverage_body import CoverageBody
from inception_bench.records.estimate import PairFigure, ProcessSpread, pair_figures
from inception_bench.records.kinds import COVERAGE
from inception_bench.records.record import Record
from inception_bench.records.speedup import blocks

Trials = Sequence[tuple[Sequence[PairFigure], float]]
# From where the search begins: the deviation, the round in seconds below which it grows, and the prior's pairs.
START = (0.004, 0.007, 8.0)


def minus_log_likelihood(logarithms: Sequence[float], trials: Trials) -> float:
    """Of all trials, each its pairs and the log of its true ratio; ``logarithms`` are those of the three figures."""
    deviation, round_s, prior = (math.exp(each) for each in logarithms)
    spread, total = ProcessSpread(deviation, round_s, 1), 0.0
    for pairs, truth in trials:
        weights = np.array([1 / (pair.error**2 + spread.of(pair.round_s) ** 2) for pair in pairs])
        scatter = float((weights * (np.array([pair.log_ratio for pair in pairs]) - truth) ** 2).sum())
        half = (prior + len(pairs)) / 2
        total -= gammaln(half) - gammaln(prior / 2) - len(pairs) / 2 * math.log(prior * math.pi)
        total -= 0.5 * float(np.log(weights).sum()) - half * math.log1p(scatter / prior)
    return total


def fitted(records: Sequence[Record[CoverageBody]]) -> tuple[float, float, float]:
    """The three figures for which the records are the most probable."""
    return figures_of([(pair_figures(blocks(record.body.timed)), math.log(record.body.truth)) for record in records])


def figures_of(trials: Trials) -> tuple[float, float, float]:
    """Deviation, round in seconds and pairs of the prior for which the trials are the most probable."""
    found = minimize(minus_log_likelihood, np.log(START), args=(trials,), method="Nelder-Mead")
    deviation, round_s, prior = np.exp(found.x)
    return float(deviation), float(round_s), float(prior)


def main() -> None:
    """Print the figures of each condition."""
    half, _ = halves(read_trials(Path(sys.argv[1]), COVERAGE))
    for name, is_one in (("one thread", True), ("several threads", False)):
        own = [record for record in half if (record.own_case.runtime.threads == 1) is is_one]
        if own:
            deviation, round_s, prior = fitted(own)
            figures = f"deviation {deviation:.4f}, round_s {round_s:.4f}, prior_pairs {prior:.1f}"
            print(f"{name}: {figures} ({len(own)} trials)")


if __name__ == "__main__":
    main()
