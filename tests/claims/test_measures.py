"""Each exact claim: the package and the hand agree, and a measure that is off by a fifth is noticed."""

from types import SimpleNamespace

import pytest

from inception_bench.claims.bn_inception import with_two_3x3
from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.measures import compute
from inception_bench.claims.methods import exact
from inception_bench.claims.networks import longest_chain, network_elements, plan_of
from inception_bench.claims.outcome import judge_exact
from inception_bench.claims.verdict import decide_all
from inception_bench.models.complexity import cost
from inception_bench.models.describe import describe
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table
from inception_bench.plugin.items.claims import ClaimItem
from inception_bench.records.statistics import Interval
from inception_bench.spec.profile import PROFILES

EXACT = [claim for claim in ledger().values() if claim.is_exact]
MEASURED = {claim.id: compute(claim) for claim in EXACT}


@pytest.mark.parametrize("claim", EXACT, ids=lambda claim: claim.id)
def test_measured_as_expected(claim):
    outcome = judge_exact(claim, MEASURED[claim.id])
    assert outcome.verdict == claim.expected, (outcome.measured_text, outcome.note)


class Benchmark:
    """pytest-benchmark's fixture, without a clock."""

    def pedantic(self, function, args=()):
        return function(*args)


class Run:
    """What an exact claim needs of a run: a profile, its device, and somebody who keeps what came out."""

    def __init__(self):
        cases = [SimpleNamespace(runtime=SimpleNamespace(device="cpu"))]
        self.selection, self.kept = SimpleNamespace(profile=PROFILES["smoke"], cases=cases), []

    def trained_before(self, _):
        return None

    def keep_claim(self, outcome):
        self.kept.append(outcome)


def verdict_in_a_run(claim):
    """What the suite of claims says of one, and whether it fails: the way that a real run goes."""
    run = Run()
    watch = SimpleNamespace(begin=lambda _: None, finish=lambda *_, **__: None)
    try:
        ClaimItem(run, watch, timed=True, claim=claim).check(Benchmark())
        failed = False
    except pytest.fail.Exception:
        failed = True
    return run.kept[0].verdict, failed


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_a_measure_off_by_a_fifth_is_news(factor, monkeypatch):
    """Every measure is perturbed where a run computes it, and judged as a run judges: all 118 must be noticed.

    Most are contradicted by their tolerance. The others are one-sided or were contradicted before; there the package
    no longer agrees with the calculation by hand, so they are undecided, and the run fails.
    """
    assert {verdict_in_a_run(claim) for claim in EXACT} <= {("reproduced", False), ("contradicted", False)}
    monkeypatch.setattr(exact, "compute", lambda claim: tuple(value * factor for value in MEASURED[claim.id]))
    changed = [claim.id for claim in EXACT if verdict_in_a_run(claim) != (claim.expected, False)]
    failing = [claim.id for claim in EXACT if verdict_in_a_run(claim)[1]]
    assert changed == [claim.id for claim in EXACT]  # 118 of 118; nine in ten are asked for
    assert failing == changed


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_tolerances_alone_notice_a_fifth(factor):
    """Without the hand's help: of the reproduced equalities at least nine in ten are then contradicted."""
    equalities = [
        claim
        for claim in EXACT
        if claim.expected == "reproduced" and any(bound.relation == "=" for bound in claim.bounds)
    ]
    changed = [
        claim.id
        for claim in equalities
        if decide_all(claim.bounds, [Interval.exact(value * factor) for value in MEASURED[claim.id]]) != claim.expected
    ]
    assert len(equalities) > 60
    assert len(changed) >= 0.9 * len(equalities)


def test_an_exact_claim_of_which_package_and_hand_differ_is_undecided():
    outcome = judge_exact(find_claim("S4-02"), [120_422_400 * 1.2])
    assert outcome.verdict == "inconclusive"
    assert outcome.note == "by hand it is 120,422,400: one of the two is wrong"


# Counted on torchvision, timm, Cadene, facenet and BVLC's networks: weighted layers on the longest way.
CHAINS = {
    "googlenet": 22, "googlenet_naive": 13, "googlenet_naive@projection": 13, "googlenet@torchvision": 22,
    "bn_inception": 35, "bn_inception@cadene": 34, "inception_v2": 54, "inception_v3": 48, "inception_v4": 76,
    "inception_resnet_v1": 93, "inception_resnet_v2@paper": 96, "inception_resnet_v2": 176, "alexnet": 8, "vgg16": 16,
    "resnet50": 50, "resnet152": 152,
}  # fmt: skip


@pytest.mark.parametrize("model", CHAINS)
def test_depth(model):
    assert longest_chain(plan_of(model)) == CHAINS[model]


def test_googlenet_with_two_3x3_for_each_5x5():
    """By hand: each c5 branch r -> c of 25rc weights becomes 9rc + 9cc, and gains c biases."""
    table = with_two_3x3(find_table("googlenet"))
    found = cost(make_plan(table))
    assert longest_chain(make_plan(table)) == 31
    widths = [(16, 32), (32, 96), (16, 48), (24, 64), (24, 64), (32, 64), (32, 128), (32, 128), (48, 128)]
    assert found.params - 6_998_552 == sum(9 * c * c - 16 * r * c + c for r, c in widths)


def test_convolution_outputs_of_alexnet():
    """55 x 55 x 96, 27 x 27 x 256, and 13 x 13 of 384, 384 and 256."""
    by_hand = 55**2 * 96 + 27**2 * 256 + 13**2 * (384 + 384 + 256)
    assert network_elements(plan_of("alexnet")) == by_hand


def test_rows_of_table_1_that_disagree_are_those_that_describe_marks():
    """Two ways to the same list: ``describe --compare paper`` and the claims on Table 1's rows."""
    marked = {(line.paper, what) for line in describe("googlenet").lines for what in line.disagrees}
    rows = [claim for claim in EXACT if claim.id.startswith("G-T1")]
    contradicted = {
        (claim.arguments["line"], claim.arguments["what"]) for claim in rows if claim.expected == "contradicted"
    }
    assert len(rows) == 24
    assert contradicted == marked


def test_the_printed_figure_stands_in_one_place_only():
    """The ledger's Table 1 figures are read from the table: 2.7 K of 1024 are 2764.8."""
    assert find_claim("G-T1p-01").bounds[0].value == pytest.approx(2.7 * 1024)
    assert find_claim("G-T1o-10").bounds[0].value == 54e6
