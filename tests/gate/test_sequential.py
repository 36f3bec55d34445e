"""The statistics of a duet: against other implementations, by hand, and by simulation with given noise."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from inception_bench.gate.judgement import Judgement, Rule, judge, settle
from inception_bench.gate.sequential import RHO, nominal_levels, sequential_p
from inception_bench.records import estimate as estimate_module
from inception_bench.records.estimate import DUET, estimate
from inception_bench.records.process_pair import Block, ProcessPair, blocks_of
from tests.gate.simulation import LOADED, QUIET, Machine, run_cell


def pair_of(ratios, seconds=0.01):
    """A pair whose blocks have given ratios of B over A and equal totals."""
    blocks = []
    for ratio in ratios:
        a = 2 * seconds / (1 + ratio)
        blocks.append(Block("ABBA", (a, a), (a * ratio, a * ratio)))
    return ProcessPair(1.0, tuple(blocks), {"a": 0.0, "b": 0.0}, {"a": 0, "b": 0})


def test_one_look_spends_everything():
    assert nominal_levels(0.025, 1) == (pytest.approx(0.025),)


@pytest.mark.parametrize("level", [0.005, 0.025])
def test_looks_together_spend_what_was_planned(level):
    """By scipy's multivariate normal: three cumulative means of equal steps have correlation sqrt(i / j)."""
    bounds = norm.isf(nominal_levels(level, 3))
    correlation = [[math.sqrt(min(i, j) / max(i, j)) for j in (1, 2, 3)] for i in (1, 2, 3)]
    for looks in (1, 2, 3):
        normal = multivariate_normal(np.zeros(looks), np.array(correlation)[:looks, :looks], abseps=1e-9, releps=1e-9)
        never = normal.cdf(bounds[:looks])
        assert 1 - never == pytest.approx(level * (looks / 3) ** RHO, rel=2e-3)


def test_sequential_p_undoes_the_plan():
    for look in (1, 4, 8):
        nominal = nominal_levels(0.005, 8)[look - 1]
        assert sequential_p(nominal, look, 8) == pytest.approx(0.005, rel=0.02)


def pair_of_rounds(a, b):
    """A pair of blocks of given rounds, two a block."""
    rounds = [tuple(zip(values[::2], values[1::2], strict=True)) for values in (a, b)]
    blocks = tuple(Block("ABBA", *sides) for sides in zip(*rounds, strict=True))
    return ProcessPair(1.0, blocks, {"a": 0.0, "b": 0.0}, {"a": 0, "b": 0})


def sample(pair):
    """A pair's rounds as a sample of one: (1, blocks, 2) of either side."""
    return [np.array([[getattr(block, side) for block in pair.blocks]]) for side in ("a_s", "b_s")]


def test_undisturbed_rounds_are_the_fastest():
    # The quickest round of every block is 10, the level everywhere. Of a three or six rounds 10 count; of b three 11
    # are the quarter, five 11 and one 14 the half.
    a = [10, 40, 10, 41, 10, 42, 10, 43, 10, 44, 10, 45]
    b = [90, 11, 80, 11, 70, 11, 60, 11, 50, 11, 40, 14]
    rounds = sample(pair_of_rounds(a, b))
    assert estimate_module._undisturbed(0.25, *rounds) == pytest.approx([math.log(1.1)], rel=1e-12)
    assert estimate_module._undisturbed(0.5, *rounds) == pytest.approx([math.log((5 * 11 + 14) / 60)], rel=1e-12)


def test_rounds_are_taken_relative_to_the_level_around_them():
    # The machine takes twice as long from the seventh block on; b one per cent longer throughout, and there too.
    a = [10.0, 10.0] * 6 + [20.0, 20.0] * 6
    rounds = sample(pair_of_rounds(a, [1.01 * seconds for seconds in a]))
    assert estimate_module._undisturbed(0.5, *rounds) == pytest.approx([math.log(1.01)], rel=1e-9)


def test_neighbouring_rounds_with_a_change_between_them_do_not_count():
    # b takes one per cent longer; in three of twelve cases the machine changed between the two rounds.
    a = [10.0] * 6 + [13.0] * 6
    b = [1.01 * seconds for seconds in a]
    a[1], b[4], b[9] = 13.0, 13.13, 10.1
    assert estimate_module._neighbouring(*sample(pair_of_rounds(a, b))) == pytest.approx([math.log(1.01)], rel=1e-9)


def running_level(quickest):
    """A plain loop: the median of five blocks, the first and last five at the ends."""
    starts = [min(max(place - 2, 0), len(quickest) - 5) for place in range(len(quickest))]
    return [sorted(quickest[start : start + 5])[2] for start in starts]


def plain_share(blocks, share):
    levels = running_level([min(block.a_s + block.b_s) for block in blocks])
    means = []
    for side in ("b_s", "a_s"):
        rounds = [
            seconds / level for block, level in zip(blocks, levels, strict=True) for seconds in getattr(block, side)
        ]
        means.append(sum(sorted(rounds)[: round(share * len(rounds))]))
    return math.log(means[0] / means[1])


def plain_biweight(blocks):
    ratios = [math.log(b / a) for block in blocks for a, b in zip(block.a_s, block.b_s, strict=True)]
    middle = statistics.median(ratios)
    for _ in range(10):
        scale = max(1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios), 0.002)
        parts = [(ratio - middle) / (4 * scale) for ratio in ratios]
        weights = [(1 - part**2) ** 2 if abs(part) < 1 else 0.0 for part in parts]
        middle = sum(weight * ratio for weight, ratio in zip(weights, ratios, strict=True)) / sum(weights)
    return middle


PLAIN = {"quarter": lambda blocks: plain_share(blocks, 0.25), "half": lambda blocks: plain_share(blocks, 0.5),
         "neighbours": plain_biweight}  # fmt: skip


def plain_jackknife(blocks, figure):
    """The figure and its error by a plain loop that leaves each block out in turn."""
    count = len(blocks)
    without = [figure(blocks[:block] + blocks[block + 1 :]) for block in range(count)]
    mean = sum(without) / count
    error = math.sqrt((count - 1) / count * sum((value - mean) ** 2 for value in without))
    return figure(blocks), error


@pytest.mark.parametrize(("seed", "surest"), [(7, "quarter"), (1, "half"), (0, "neighbours")])
def test_a_pair_has_the_surest_figure_with_its_jackknife_error(seed, surest):
    random = np.random.default_rng(seed)
    a, b = (list(1 + random.standard_exponential(24) / 50 + np.arange(24) / 100) for _ in range(2))
    pair = pair_of_rounds(a, b)
    found = {name: plain_jackknife(pair.blocks, figure) for name, figure in PLAIN.items()}
    assert min(found, key=lambda name: found[name][1]) == surest
    value, error = found[surest]
    made = estimate(blocks_of([pair]))
    assert made.log_ratio == pytest.approx(value, rel=1e-9)
    # One pair scatters from itself by nothing: the prior's share of its own variance is left.
    assert made.error == pytest.approx(math.hypot(error, DUET.deviation), rel=1e-9)
    assert (made.freedom, made.blocks) == (DUET.prior_pairs, 12)


def test_pairs_that_scatter_widen_the_interval():
    # Blocks without noise: a pair's error is DUET.deviation alone; two pairs d apart have scatter (d / spread)^2 / 2.
    together = estimate(blocks_of([pair_of([1.0] * 10), pair_of([1.0] * 10)]))
    assert together.error == pytest.approx(DUET.deviation * math.sqrt(DUET.prior_pairs / (DUET.prior_pairs + 1) / 2))
    apart = estimate(blocks_of([pair_of([1.0] * 10), pair_of([1.02] * 10)]))
    scatter = (math.log(1.02) / DUET.deviation) ** 2 / 2
    expected = DUET.deviation * math.sqrt((DUET.prior_pairs + scatter) / (DUET.prior_pairs + 1) / 2)
    assert apart.error == pytest.approx(expected, rel=1e-6)
    assert apart.log_ratio == pytest.approx(math.log(1.02) / 2)


@pytest.mark.parametrize(("round_s", "spread"), [(0.1, 0.0025), (0.007, 0.0025), (0.00175, 0.005), (0.00028, 0.0125)])
def test_processes_of_quick_rounds_differ_by_more(round_s, spread):
    # Below 7 ms by sqrt(7 ms / round): twice as much at a quarter of it, five times at a twenty-fifth.
    assert estimate(blocks_of([pair_of([1.0] * 10, round_s)])).error == pytest.approx(spread, rel=1e-6)


def test_a_burst_over_half_of_a_pairs_rounds_does_not_count():
    quiet, burst = [1.0] * 12, [1.0, 1.7] * 6
    found = estimate(blocks_of([pair_of_rounds(quiet, burst)]))
    assert (found.log_ratio, found.blocks) == (0.0, 6)


def test_a_pair_of_too_few_blocks_is_left_out():
    found = estimate(blocks_of([pair_of([1.0] * 20), pair_of([3.0] * 4)]))
    assert (found.log_ratio, found.pairs, found.blocks) == (0.0, 1, 20)


def test_exchanged_sides_give_the_opposite():
    pairs = [pair_of(np.exp(np.random.default_rng(seed).normal(0.01, 0.02, 30))) for seed in range(3)]
    swapped = [
        ProcessPair(1.0, tuple(Block(block.order, block.b_s, block.a_s) for block in pair.blocks), {}, {})
        for pair in pairs
    ]
    one, other = estimate(blocks_of(pairs)), estimate(blocks_of(swapped))
    assert (one.log_ratio, one.error) == (pytest.approx(-other.log_ratio), pytest.approx(other.error))


def test_no_alarm_without_a_fresh_pair_that_agrees():
    slow, level = pair_of([1.3] * 12), pair_of([0.999] * 12)
    rule = Rule(0.01, 6)
    assert judge([slow], rule).verdict == "unclear"  # suspected, not confirmed
    assert judge([pair_of([1.0] * 12)], Rule(0.5, 6)).verdict == "unclear"  # one pair of processes is no sample
    assert judge([slow, slow], rule).verdict == "slower"
    assert judge([slow, level], rule).verdict == "unclear"
    # Beyond zero with all six pairs together, but the newest by itself leans the other way.
    doubtful = judge([pair_of([1.02] * 12)] * 5 + [pair_of([0.9995] * 12)], rule)
    assert doubtful.p_slower < 0.005
    assert (doubtful.verdict, doubtful.confirmed) == ("unclear", 0)
    assert judge([pair_of([1 / 1.3] * 12)] * 2, rule).verdict == "faster"
    assert judge([pair_of([1.0] * 12)] * 3, rule).verdict == "same"


def test_pairs_that_ran_at_once_are_one_look():
    slow, level = pair_of([1.3] * 12), pair_of([0.999] * 12)
    rule = Rule(0.01, 6, pairs_a_look=2)
    assert [rule.look(count) for count in (2, 4, 12, 14)] == [1, 2, 6, 6]
    assert judge([slow, slow], rule).verdict == "unclear"  # suspected; both were there when it arose
    assert judge([slow] * 4, rule).verdict == "slower"
    small = pair_of([1.02] * 12)
    doubtful = judge([small] * 10 + [pair_of([0.99] * 12), pair_of([1.001] * 12)], rule)
    assert doubtful.p_slower < 0.005
    assert doubtful.confirmed == 0  # the two fresh ones together lean the other way
    assert judge([small] * 10 + [level, pair_of([1.01] * 12)], rule).verdict == "slower"


def test_a_sure_effect_under_the_least_that_matters_is_same():
    assert judge([pair_of([1.005] * 12)] * 12, Rule(0.01, 12)).verdict == "same"


def test_too_few_blocks_are_unclear():
    assert judge([pair_of([1.3] * 4)], Rule(0.01, 4)).verdict == "unclear"
    assert judge([], Rule(0.01, 4)).effect is None


def test_holm_by_hand():
    # Three cells share 0.005: the least p may be 0.00167, the next 0.0025, the last 0.005.
    cells = [Judgement("unclear", 0.1, 0.0, 0.2, p_slower=p, confirmed=1) for p in (0.0049, 0.0024, 0.0016)]
    assert [found.verdict for found in settle(cells)] == ["slower", "slower", "slower"]
    cells[1] = Judgement("unclear", 0.1, 0.0, 0.2, p_slower=0.0026, confirmed=1)
    assert [found.verdict for found in settle(cells)] == ["unclear", "unclear", "slower"]
    cells[2] = Judgement("unclear", 0.1, 0.0, 0.2, p_slower=0.0016, confirmed=0)
    assert [found.verdict for found in settle(cells)] == ["unclear"] * 3


RULE = Rule(0.01, 12)


def rates(machine, slowdown, cells):
    found = [run_cell(seed, machine, slowdown, RULE) for seed in range(cells)]
    covered = sum(each.low <= slowdown <= each.high for each in found)
    return {
        verdict: sum(each.verdict == verdict for each in found) for verdict in ("same", "slower", "faster")
    }, covered


@pytest.mark.slow
@pytest.mark.parametrize("machine", [QUIET, LOADED, Machine(process=0.004)], ids=["quiet", "loaded", "uneven"])
def test_simulated_equal_programs_raise_no_alarm_and_are_covered(machine):
    """At level 0.005 and the confirmation, 2 alarms of 120 would have a probability under 0.03 each way."""
    found, covered = rates(machine, 0.0, 120)
    assert found["slower"] <= 1
    assert found["faster"] <= 1
    # A 95 % interval that holds at all looks: under 106 of 120 has a probability under 0.002.
    assert covered >= 106


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "slowdown", "least"), [(QUIET, 0.01, 0.90), (QUIET, 0.03, 0.99), (LOADED, 0.03, 0.95)]
)
def test_simulated_slowdowns_are_found(machine, slowdown, least):
    found, covered = rates(machine, slowdown, 100)
    assert found["slower"] >= least * 100
    assert found["faster"] == 0
    assert covered >= 88
