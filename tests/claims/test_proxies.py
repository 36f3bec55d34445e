"""Proxies: effects of made-up courses by hand, the band, the smallest effect; and that every arm can be built."""

import pytest

from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.methods.arms import EFFECTS, judge_proxy
from inception_bench.claims.methods.probe import PROBES, aux_gradient, judge_probe, residual_variance
from inception_bench.claims.methods.proxies import PROXIES
from inception_bench.models.changes import Changes, apply_changes
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table
from inception_bench.records.claim_body import Course
from inception_bench.records.journal import Journal
from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import mean_interval, share_difference_interval, share_interval
from inception_bench.report.claims import outcomes_of

B_01, B_04, G_06 = (PROXIES[name] for name in ("B-01", "B-04", "G-06"))


def course(*accuracies, outcome="ok", losses=(1.0,)):
    """A course whose accuracy was taken after 20, 40, 60, ... steps."""
    return Course(outcome, {20 * (n + 1): top1 for n, top1 in enumerate(accuracies)}, losses)


def test_steps_to_nine_tenths_of_the_reference():
    """The reference ends at 0.8, so the goal is 0.72: 12 of 15 points of the way from 40 to 60, which is step 56.

    The other passes it on the way from nothing to 0.9 in 20 steps: step 16, 3.5 times as soon. Never counts as half
    as fast at most.
    """
    reference = course(0.3, 0.6, 0.75, 0.8)
    assert EFFECTS["speedup"](course(0.9, 0.9, 0.9, 0.9), reference, B_01) == pytest.approx(3.5)
    assert EFFECTS["steps_share"](course(0.9, 0.9, 0.9, 0.9), reference, B_01) == pytest.approx(1 / 3.5)
    assert EFFECTS["speedup"](course(0.1, 0.1, 0.1, 0.1), reference, B_01) == pytest.approx(56 / 160)


def test_differences():
    treated, reference = course(0.5, 0.6, 0.7, losses=[1.0] * 30), course(0.4, 0.55, 0.75, losses=[3.0] + [1.5] * 30)
    assert EFFECTS["final"](treated, reference, B_01) == pytest.approx(-0.05)
    assert EFFECTS["early"](treated, reference, B_01) == pytest.approx(-0.05)  # step 60
    assert EFFECTS["loss_saved"](treated, reference, B_01) == pytest.approx(0.5)  # of the last 30 steps
    assert EFFECTS["dead_more"](Course("ok", {}, [], 0.5), Course("ok", {}, [], 0.1), B_01) == 0.4
    with pytest.raises(ValueError, match="ask the training for it"):
        EFFECTS["dead_more"](treated, reference, B_01)


def test_a_diverged_run_has_stalled():
    assert course(0.9, outcome="diverged").has_stalled
    assert course(0.9, outcome="diverged").final == 0
    assert course(0.19).has_stalled
    assert not course(0.2).has_stalled


def test_three_seeds_by_students_t():
    """Mean of 1, 2, 3 is 2; its deviation is 1, and t of 2 degrees at 97.5 % is 4.3027: 2 -+ 4.3027 / sqrt(3)."""
    found = mean_interval([1, 2, 3])
    assert (found.value, found.low, found.high) == pytest.approx((2, 2 - 2.4842, 2 + 2.4842), abs=1e-3)
    with pytest.raises(ValueError, match="2 values are too few"):
        mean_interval([1, 2])


def test_five_of_five_by_wilson():
    """n / (n + z^2) = 5 / (5 + 3.8415): five of five decide a claim of more than half; three of three do not."""
    assert share_interval([1] * 5).low == pytest.approx(0.5655, abs=1e-4)
    assert share_interval([1] * 3).low < 0.5


def test_a_direction_that_three_seeds_show():
    courses = [(course(0.73, 0.8, 0.9), course(0.3, 0.6, 0.8)), (course(0.73, 0.8, 0.9), course(0.3, 0.6, 0.8))] * 2
    outcome = judge_proxy(find_claim("B-01"), B_01, courses)
    assert outcome.verdict == "reproduced"
    assert outcome.note == "proxy, 4 seeds; speedup could have shown 0 x"


def test_a_scatter_that_spans_the_boundary_is_inconclusive_and_says_what_it_could_have_shown():
    """Gains of 2, -1 and 2 points: mean 1, deviation 1.732, half an interval 4.3027 points."""
    courses = [(course(0.82), course(0.80)), (course(0.79), course(0.80)), (course(0.82), course(0.80))]
    outcome = judge_proxy(find_claim("G-06"), G_06, courses)
    assert outcome.verdict == "inconclusive"
    assert outcome.note == "proxy, 3 seeds; final could have shown 4.303 %"


def test_outside_the_band_nothing_is_decided():
    outcome = judge_proxy(find_claim("G-06"), G_06, [(course(0.99), course(0.97))] * 3)
    assert outcome.verdict == "inconclusive"
    assert "the reference arm ends at 0.97, outside 0.4 to 0.95" in outcome.note


def test_a_stored_proxy_is_judged_again_from_its_courses(tmp_path):
    """Also where the band decides nothing: figures alone would not show it."""
    outcome = judge_proxy(find_claim("G-06"), G_06, [(course(0.99), course(0.97))] * 3)
    journal = Journal(tmp_path / "records.jsonl")
    journal.append(Record("claim", Run("r1", "", "full", {}), None, None, None, outcome.body))
    (read,) = [found for found in outcomes_of(journal.read()[0]) if found.claim.id == "G-06"]
    assert (read.verdict, read.note) == (outcome.verdict, outcome.note)
    assert read.figures == outcome.figures


def test_divergence_needs_both_arms():
    good, dead = course(0.8), course(0.1, outcome="diverged")
    claim = find_claim("B-04")
    assert judge_proxy(claim, B_04, [(dead, good)] * 5).verdict == "reproduced"
    assert judge_proxy(claim, B_04, [(good, good)] * 5).verdict == "contradicted"
    assert judge_proxy(claim, B_04, [(dead, good)] * 3).verdict == "inconclusive"


@pytest.mark.parametrize("claim_id", PROXIES)
def test_every_proxy_fits_its_claim(claim_id):
    proxy, claim = PROXIES[claim_id], find_claim(claim_id)
    assert claim.measure == "proxy"
    assert len(proxy.effects) == len(claim.bounds)
    assert set(proxy.effects) <= set(EFFECTS)
    assert len(proxy.seeds) >= 3
    assert proxy.treated != proxy.reference
    assert proxy.early % proxy.every == 0
    for arm in (proxy.treated, proxy.reference):
        table = apply_changes(find_table(arm.model), Changes(**arm.changes))
        make_plan(table, input_size=proxy.input_size, width_mult=arm.width_mult, num_classes=10)


def test_every_proxy_of_the_ledger_has_its_measure():
    proxies = {claim.id for claim in ledger().values() if claim.measure == "proxy"}
    assert proxies == set(PROXIES) | set(PROBES)
    assert not set(PROXIES) & set(PROBES)


def test_published_seeds_are_none_that_designs_were_tried_on():
    assert all(min(proxy.seeds) >= 10 for proxy in PROXIES.values())


def test_a_difference_of_shares_by_newcombe():
    """Wilson's interval of 0 of 5 ends at 3.8415 / 8.8415 = 0.4345; two of them reach as far either way."""
    found = share_difference_interval([0] * 5, [0] * 5)
    assert (found.value, found.low, found.high) == pytest.approx((0, -0.4345, 0.4345), abs=1e-4)
    # Newcombe 1998, Table II (a): 56/70 less 48/80 is 0.2000, from 0.0524 to 0.3339 by method 10.
    found = share_difference_interval([1] * 56 + [0] * 14, [1] * 48 + [0] * 32)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_probes():
    """More losses give more gradient; a sum of whole branches grows more than one of fifths."""
    assert aux_gradient(0) > 1
    assert aux_gradient(0) == aux_gradient(0)
    assert residual_variance(0) > 1
    outcome = judge_probe(find_claim("S1-20"), [1.2, 1.3, 1.4])
    assert outcome.verdict == "reproduced"
    assert outcome.note.startswith("proxy, 3 seeds, could have shown ")
