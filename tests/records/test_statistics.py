"""Statistics against figures worked out by hand."""

from __future__ import annotations

import math

import pytest

from inception_bench.records.statistics import median, median_interval, percentile_upper


def test_median_of_even_and_odd():
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


def test_p90_needs_64_values():
    # One value set aside is enough when (0.9^n + n * 0.1 * 0.9^(n-1)) <= 0.01: true first for n = 64.
    chance = {n: 0.9**n + n * 0.1 * 0.9 ** (n - 1) for n in (63, 64)}
    assert chance[63] > 0.01 >= chance[64]
    assert percentile_upper(range(1, 64), 0.9) is None
    assert percentile_upper(range(1, 65), 0.9) == 63  # the second largest


def test_p99_needs_662_values():
    chance = {n: 0.99**n + n * 0.01 * 0.99 ** (n - 1) for n in (661, 662)}
    assert chance[661] > 0.01 >= chance[662]
    assert percentile_upper(range(1, 662), 0.99) is None
    assert percentile_upper(range(1, 663), 0.99) == 661


@pytest.mark.parametrize("count", [64, 100, 500, pytest.param(1000, marks=pytest.mark.slow)])
def test_percentile_sets_aside_as_many_as_the_binomial_allows(count):
    def chance(aside: int) -> float:
        return sum(math.comb(count, k) * 0.1**k * 0.9 ** (count - k) for k in range(aside + 1))

    aside = max(t for t in range(count) if chance(t) <= 0.01)
    assert percentile_upper(range(count), 0.9) == count - 1 - aside


def test_order_of_values_does_not_matter():
    values = [float(n % 7) for n in range(64)]
    assert percentile_upper(values, 0.9) == percentile_upper(sorted(values), 0.9) == 6.0


def test_interval_of_equal_values_is_the_value():
    found = median_interval([2.0] * 64)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)


def test_interval_agrees_with_order_statistics():
    # The exact binomial interval for a median of 64 values is from the 25th to the 40th:
    # P(24 < Bin(64, 1/2) < 40) = 0.954. The bootstrap's ends lie within one rank of it.
    values = [float(n) for n in range(1, 65)]
    found = median_interval(values)
    assert found.value == 32.5
    assert 24 <= found.low <= 26
    assert 39 <= found.high <= 41


def test_interval_is_reproducible():
    values = [1.0 + (n * 37 % 64) / 64 for n in range(64)]
    assert median_interval(values) == median_interval(values)
    assert median_interval(values).relative_width == pytest.approx(
        (median_interval(values).high - median_interval(values).low) / median(values)
    )
