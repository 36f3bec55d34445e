"""The ledger is whole: 190 claims, each with what it needs to be checked, and a prediction made by hand."""

from collections import Counter

import pytest

from inception_bench.claims.calculation import calculate
from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.measures import all_measures
from inception_bench.claims.methods.choice import least_profile, left_out
from inception_bench.claims.methods.timed import HANDFUL
from inception_bench.claims.verdict import decide_all
from inception_bench.errors import UnknownNameError
from inception_bench.records.statistics import Interval
from inception_bench.spec.profile import PROFILES

CLAIMS = list(ledger().values())
EXACT = [claim for claim in CLAIMS if claim.is_exact]


def test_every_claim_is_there():
    kinds = Counter(claim.kind for claim in CLAIMS)
    assert len(CLAIMS) == 190
    # Counted in the tutorials and papers: 51 + 38 + 25 + 4 are exact.
    exact = {"arithmetic": 51, "macs": 38, "params": 25, "memory": 4}
    assert kinds == {**exact, "latency": 6, "training-dynamics": 19, "accuracy": 47}
    assert len(EXACT) == 118


def test_what_cannot_be_tested_here_is_what_needs_imagenet():
    untestable = [claim for claim in CLAIMS if claim.expected == "not testable here"]
    assert len(untestable) == 44
    assert untestable == [claim for claim in CLAIMS if claim.needs == "imagenet"]
    assert all(claim.reason.startswith("needs ") for claim in untestable)


@pytest.mark.parametrize("claim", EXACT, ids=lambda claim: claim.id)
def test_the_calculation_by_hand_gives_the_expected_verdict(claim):
    by_hand = [Interval.exact(value) for value in calculate(claim.by_hand)]
    assert decide_all(claim.bounds, by_hand) == claim.expected


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_says_what_a_reader_needs(claim):
    assert claim.statement.endswith(".")
    assert claim.figure
    assert claim.reason
    assert "\n" not in claim.reason
    if claim.needs == "small-data proxy" or (claim.kind == "training-dynamics" and claim.needs == "nothing"):
        assert claim.condition.startswith("proxy: ")
    if claim.is_exact:
        assert claim.measure in all_measures()
    elif claim.bounds:  # no source gives a tolerance for what is timed or trained: the reason is ours
        assert claim.tolerance_why


def test_no_measure_is_left_over():
    assert {claim.measure for claim in EXACT} == set(all_measures())


def test_profiles_reach_so_far():
    def reached(name):
        return {claim.id for claim in CLAIMS if left_out(claim, PROFILES[name]) is None}

    exact_or_untestable = {claim.id for claim in CLAIMS if claim.is_exact or claim.expected == "not testable here"}
    assert reached("smoke") == exact_or_untestable
    assert reached("quick") == exact_or_untestable | set(HANDFUL)
    assert reached("standard") - reached("quick") == {"I-03"}
    assert reached("full") == set(ledger())
    assert [least_profile(find_claim(name)) for name in ("G-01", "S1-17", "I-03", "B-05")] == [
        "",
        "",
        "standard",
        "full",
    ]


def test_an_unknown_claim_names_its_neighbours():
    with pytest.raises(UnknownNameError, match=r"unknown claim 'S4-99'; did you mean .*known: S4-01, .*S4-08\)"):
        find_claim("S4-99")
