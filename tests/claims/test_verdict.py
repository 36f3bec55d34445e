"""Figures in, a word out: every relation, its boundary, and what an interval over the boundary gives."""

import pytest

from inception_bench.claims.calculation import calculate
from inception_bench.claims.claim import Bound, parse_bounds, show
from inception_bench.claims.verdict import combine, decide, same
from inception_bench.records.statistics import Interval


@pytest.mark.parametrize(
    ("claimed", "measured", "verdict"),
    [
        ("28", 28, "reproduced"),
        ("28", 29, "contradicted"),
        ("0.28", 1 - 18 / 25, "reproduced"),  # 0.28 but for the last bit
        ("12 +-10%", 10.8, "reproduced"),
        ("12 +-10%", 10.79, "contradicted"),
        ("12 +-10%", 13.21, "contradicted"),
        ("34e6 +-2% or 7e5", 34.7e6, "reproduced"),  # 2 % are 0.68 M, so 0.7 M count
        ("34e6 +-2% or 7e5", 34.71e6, "contradicted"),
        ("> 2", 2.01, "reproduced"),
        ("> 2", 2, "contradicted"),
        (">= 2", 2, "reproduced"),
        ("< 25e6", 25e6, "contradicted"),
        ("<= 1", 1, "reproduced"),
        ("< -0.5", -0.6, "reproduced"),
    ],
)
def test_exact_figures(claimed, measured, verdict):
    (bound,) = parse_bounds(claimed)
    assert decide(bound, Interval.exact(measured)) == verdict


@pytest.mark.parametrize(
    ("claimed", "interval", "verdict"),
    [
        ("> 1", (1.01, 1.2), "reproduced"),
        ("> 1", (0.99, 1.2), "inconclusive"),
        ("> 1", (0.7, 0.99), "contradicted"),
        ("> 1 +-0.03", (1.02, 1.2), "inconclusive"),  # reaches into the noise floor
        ("> 1 +-0.03", (1.04, 1.2), "reproduced"),
        ("> 1 +-0.03", (0.8, 0.98), "inconclusive"),
        ("> 1 +-0.03", (0.8, 0.96), "contradicted"),
        ("< 0.5", (0.3, 0.49), "reproduced"),
        ("< 0.5", (0.3, 0.51), "inconclusive"),
        ("< 0.5", (0.51, 0.6), "contradicted"),
        ("0 +-0.01", (-0.005, 0.008), "reproduced"),
        ("0 +-0.01", (-0.005, 0.02), "inconclusive"),
        ("0 +-0.01", (0.011, 0.02), "contradicted"),
    ],
)
def test_intervals(claimed, interval, verdict):
    (bound,) = parse_bounds(claimed)
    assert decide(bound, Interval(sum(interval) / 2, *interval)) == verdict


def test_several_figures_are_contradicted_by_any_of_them():
    assert combine(["reproduced", "inconclusive", "contradicted"]) == "contradicted"
    assert combine(["reproduced", "inconclusive"]) == "inconclusive"
    assert combine(["reproduced", "reproduced"]) == "reproduced"


def test_bounds_are_read_as_written():
    assert parse_bounds("60e6 +-2%; >= 12") == (Bound("=", 60e6, 1.2e6), Bound(">=", 12.0, 0.0))
    assert parse_bounds("") == ()
    with pytest.raises(ValueError, match="'about 3' is no claimed figure; write a number as"):
        parse_bounds("about 3")


def test_calculations_are_arithmetic_and_nothing_else():
    assert calculate("1 - (9 + 9) / 25; 2**3 * -1") == (0.28, -8)
    assert calculate("log(1)") == (0.0,)
    with pytest.raises(ValueError, match="is no calculation"):
        calculate("__import__('os')")
    with pytest.raises(ValueError, match="is no calculation"):
        calculate("'a' * 3")


def test_two_calculations_agree_to_a_thousandth():
    assert same((1000.0, 2.0), (1000.9, 2.0))
    assert not same((1000.0,), (1002.0,))
    assert not same((1.0,), (1.0, 1.0))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.28, "%", "28 %"), (8.711, "x", "8.711 x"), (5.7132e9, "G", "5.713 G"), (9408, "k", "9.408 k"),
     (589824, "", "589,824"), (0.72, "", "0.72"), (6998552, "M", "6.999 M")],
)  # fmt: skip
def test_figures_as_readers_see_them(value, unit, text):
    assert show(value, unit) == text
