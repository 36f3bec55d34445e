"""The ratio of a cell and its partner over pairs of processes: by hand, and its coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from inception_bench.measure.measurement import Measurement
from inception_bench.measure.replies import Round
from inception_bench.measure.rounds import Rounds, Taken
from inception_bench.records.estimate import ProcessSpread
from inception_bench.records.record import Record, Run
from inception_bench.records.sampling import Sampling, half_width
from inception_bench.records.speedup import ONE_THREAD, THREADS, blocks, ratio, speedup, spread_on
from inception_bench.records.statistics import Interval
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import LEAST_PAIRS
from inception_bench.spec.runtime import Runtime

SPREAD = ProcessSpread(deviation=0.01, round_s=0.001, prior_pairs=8)


def equal_rounds(ratios, a_pair=22, seconds=0.02) -> Rounds:
    """A pair of processes for each ratio, in which all rounds are equal."""
    candidate = [seconds] * a_pair * len(ratios)
    reference = [seconds * each for each in ratios for _ in range(a_pair)]
    numbers = [number for number in range(len(ratios)) for _ in range(a_pair)]
    first = [True, False] * (len(candidate) // 2)
    return Rounds(candidate, reference, first, [0] * len(candidate), [0] * len(candidate), process_pair=numbers)


def test_rounds_are_blocks_of_their_pair_of_processes():
    """Eight pairs of rounds of two pairs of processes: two blocks each; the candidate is side a."""
    taken = Taken()
    for at, first in enumerate((True, False, False, True, False, True, True, False)):
        taken.add(Round(1.0 + at, 0), Round(10.0 + at, 0), reference_first=first, process_pair=at // 4)
    first, second = blocks(taken.rounds())
    assert [block.order for block in (*first, *second)] == ["BAAB", "ABBA", "ABBA", "BAAB"]
    assert [block.a_s for block in first] == [(1.0, 2.0), (3.0, 4.0)]
    assert [block.b_s for block in second] == [(14.0, 15.0), (16.0, 17.0)]
    assert taken.rounds().pairs == 2


def test_three_pairs_by_hand():
    """Log ratios 0.01, 0.02 and 0.06 without error within: their mean, and the root of a variance drawn to its prior.

    Each pair's variance is 0.01 ** 2. The scatter is (0.02 ** 2 + 0.01 ** 2 + 0.03 ** 2) / 0.01 ** 2 = 14; with a prior
    of 8 pairs and two degrees of freedom from three the scale is (8 + 14) / 10.
    """
    found = ratio(equal_rounds([math.exp(each) for each in (0.01, 0.02, 0.06)]), SPREAD)
    half = float(t.ppf(0.975, 10)) * 0.01 * math.sqrt(2.2 / 3)
    assert found.value == pytest.approx(math.exp(0.03))
    assert (found.low, found.high) == pytest.approx((math.exp(0.03 - half), math.exp(0.03 + half)))


def test_one_pair_of_processes_has_the_interval_within_it():
    """As in records of schema 2, which have no numbers of pairs: the median of the ratios, and its bootstrap."""
    rounds = Rounds([1.0] * 9, [1, 2, 3, 4, 5, 6, 7, 8, 9], [True] * 9, [0] * 9, [0] * 9)
    found = ratio(rounds, SPREAD)
    assert rounds.pairs == 1
    assert found.value == 5.0
    assert 2 <= found.low < 5 < found.high <= 8


def test_too_few_rounds_have_no_interval():
    with pytest.raises(ValueError, match="6 rounds over 3 pairs of processes are too few"):
        ratio(equal_rounds([1.0] * 3, a_pair=2), SPREAD)


@pytest.mark.parametrize(("device", "threads", "spread"), [("cpu", 1, ONE_THREAD), ("cpu", 2, THREADS)])
def test_each_number_of_threads_has_its_own_spread(device, threads, spread):
    runtime = Runtime("eager", device, "fp32", 1, threads)
    assert spread_on(runtime) is spread
    case = Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), runtime)
    rounds = equal_rounds([1.0, 1.0, 1.0])
    record = Record("cell", Run("r", "", "quick", {}), case, 1, 1, Measurement(outcome="ok", rounds=rounds))
    assert speedup(record) == ratio(rounds, spread)


SAMPLING = Sampling(SPREAD, rounds=64, aim=0.02, budget_s=60.0)


def test_each_pair_takes_whole_blocks_of_a_third_of_the_rounds():
    assert SAMPLING.rounds_a_pair == 22  # 64 / 3 = 21.3
    assert Sampling(SPREAD, 662, 0.01, 1.0).rounds_a_pair == 222  # 220.7
    assert Sampling(SPREAD, 6, 0.01, 1.0).rounds_a_pair == 2


@pytest.mark.parametrize(
    ("ratios", "a_pair", "seconds", "enough"),
    [
        ([1.0] * 2, 64, 999.0, False),  # never fewer than three pairs of processes, whatever the budget
        ([1.0] * 3, 20, 999.0, False),  # nor fewer than 64 rounds
        ([1.0] * 3, 22, 10.0, True),  # half-width 2.23 * 0.01 * sqrt(8 / 10 / 3) = 1.15 %
        ([1.0, 1.05, 1.1], 22, 10.0, False),  # they scatter
        ([1.0, 1.05, 1.1], 22, 44.0, False),  # four pairs would take 59 s
        ([1.0, 1.05, 1.1], 22, 46.0, True),  # four pairs would take 61 s
    ],
)
def test_a_cell_is_sampled_until_its_interval_is_narrow_or_its_budget_spent(ratios, a_pair, seconds, enough):
    assert SAMPLING.is_enough(equal_rounds(ratios, a_pair), seconds) is enough


def test_half_a_width_is_a_share_of_the_value():
    assert half_width(Interval(2.0, 1.9, 2.1)) == pytest.approx(0.05)


def drawn(random: np.random.Generator, deviation: float, pairs: int) -> Rounds:
    """Rounds of 20 ms of equal programs, whose processes differ by ``deviation`` (log ratio) for as long as they live.

    Rounds scatter by 1 %; one in ten takes up to half as long again.
    """
    taken = Taken()
    for number in range(pairs):
        layout = random.normal(0, deviation)
        for at in range(22):
            own, other = (
                0.02 * math.exp(random.normal(0, 0.01) + random.uniform(0, 0.4) * (random.random() < 0.1))
                for _ in range(2)
            )
            taken.add(
                Round(own, 0), Round(other * math.exp(layout), 0), reference_first=at % 2 == 0, process_pair=number
            )
    return taken.rounds()


def test_the_interval_holds_the_truth_where_processes_differ_as_expected():
    """400 cells of a program beside itself, three pairs each.

    Where the prior is exactly right, a normal error over the root of (8 + chi-square of 2 degrees) / 10 stays under t's
    2.23 with a probability of 97.1 %. By the binomial distribution, 377 to 397 of 400 then hold 99.8 times in 100.
    """
    random = np.random.default_rng(5)
    sampling = Sampling(SPREAD, rounds=64, aim=0.02, budget_s=1e9)
    held = 0
    for _ in range(400):
        rounds = drawn(random, SPREAD.deviation, LEAST_PAIRS)
        found = ratio(rounds, sampling.spread)
        held += found.low <= 1 <= found.high
    assert 377 <= held <= 397


def test_an_interval_of_rounds_alone_would_not_hold():
    """The same cells as if they were of one pair of processes: far fewer than 95 % hold. So there are pairs."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(100):
        found = ratio(Rounds(**{**vars(drawn(random, SPREAD.deviation, 1)), "process_pair": None}), SPREAD)
        held += found.low <= 1 <= found.high
    assert held < 85
