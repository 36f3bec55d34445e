"""The script that fits how far processes differ: it finds again what made-up trials were drawn with."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest
from scipy.stats import multivariate_t

from inception_bench.records.estimate import PairFigure, ProcessSpread
from tests.conftest import ROOT

SPEC = importlib.util.spec_from_file_location("fit_spread", ROOT / "scripts" / "fit_spread.py")
fit_spread = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fit_spread)


def test_the_likelihood_is_that_of_a_multivariate_t():
    """By scipy's own density, of two trials."""
    spread, prior = ProcessSpread(0.01, 0.004, 1), 5.0
    trials = [
        (
            [PairFigure(0.01, 0.003, 11, 0.001), PairFigure(-0.02, 0.004, 11, 0.02), PairFigure(0.0, 0.001, 11, 0.02)],
            0.0,
        ),
        ([PairFigure(0.12, 0.002, 11, 0.02), PairFigure(0.10, 0.002, 11, 0.02)], math.log(1.1)),
    ]
    expected = 0.0
    for pairs, truth in trials:
        variances = [pair.error**2 + spread.of(pair.round_s) ** 2 for pair in pairs]
        values = [pair.log_ratio for pair in pairs]
        expected -= multivariate_t.logpdf(values, [truth] * len(pairs), np.diag(variances), df=prior)
    given = np.log([spread.deviation, spread.round_s, prior])
    assert fit_spread.minus_log_likelihood(given, trials) == pytest.approx(expected)


def test_it_finds_again_what_trials_were_drawn_with():
    """600 trials of three pairs, whose processes differ by 0.6 % from rounds of 10 ms on, and whose scale varies.

    The deviation is known to about 1 / sqrt(2 * 600) of itself, 3 %; three times that is allowed.
    """
    random, drawn, prior = np.random.default_rng(3), ProcessSpread(0.006, 0.010, 1), 6.0
    trials = []
    for _ in range(600):
        scale = math.sqrt(prior / random.chisquare(prior))
        pairs = []
        for _ in range(3):
            round_s = float(random.choice([0.001, 0.003, 0.02, 0.1]))
            deviation = scale * math.hypot(0.003, drawn.of(round_s))
            pairs.append(PairFigure(random.normal(0, deviation), 0.003, 11, round_s))
        trials.append((pairs, 0.0))
    found = fit_spread.figures_of(trials)
    assert found[0] == pytest.approx(0.006, rel=0.1)
    assert found[1] == pytest.approx(0.010, rel=0.3)
    assert 4 < found[2] < 10
