"""What a run measured beside cells, in two stored runs: each rule by a record made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inception_bench.gate.stored.compare import compare
from inception_bench.gate.stored.stored_run import load_run
from inception_bench.report.comparison import comparison_json, comparison_notes, comparison_page, comparison_text
from tests.gate.records import CASES, others, put, write_run

TRAINING, STEP, COUNT, PAIR, CLAIM = range(len(CASES), len(CASES) + 5)
NAMES = {
    TRAINING: "training googlenet-eager-cpu-fp32-b1-224px-quick-s0-digits",
    STEP: "training step googlenet-eager-cpu-fp32-b1-224px-quick-s0-digits",
    COUNT: "count googlenet-224px-w1-c1000",
    PAIR: "pair two_3x3_for_5x5-onnxruntime-cpu-fp32-b1",
    CLAIM: "claim G-01",
}


def compared(tmp_path, change=None, **options):
    before = load_run(write_run(tmp_path / "before", beside=others))
    return compare(before, load_run(write_run(tmp_path / "after", change, beside=others)), **options)


def top1(right, low, high, digest="d"):
    """Wilson's intervals as worked out by hand in ``test_compare``."""

    def change(records):
        shares = {"top1": right / 100, "top1_ci95_low": low, "top1_ci95_high": high, "digest": digest}
        records[TRAINING]["body"].update(shares)

    return change


def diverges(records):
    body = records[TRAINING]["body"]
    body.update(outcome="diverged", reason="loss nan", top1=None, top1_ci95_low=None, top1_ci95_high=None, top5=None)


def test_equal_runs_are_no_regression(tmp_path):
    found = compared(tmp_path)
    assert (found.exit_code, found.regressed, found.uncompared) == (0, [], [])
    assert [each.name for each in found.others] == list(NAMES.values())
    text = comparison_text(found)
    assert "no regression in 4 cells and 5 others (exact facts and times)" in text
    assert "run-before: 4 cells, 1 training, 1 training step, 1 count, 1 pair, 1 claim\n" in text
    assert "  not compared: times of pairs and training steps (no round of eager stands beside them)\n" in text
    assert "Not compared: times of pairs and training steps" in comparison_page(found)


@pytest.mark.parametrize(
    ("number", "change", "kind", "text"),
    [
        (TRAINING, put(TRAINING, "params", 101), "regression", "params 100 -> 101 (another network)"),
        (TRAINING, top1(82, 0.73, 0.88), "regression", "top1 0.9 -> 0.82 (outside 0.8256-0.9448)"),
        (TRAINING, top1(95, 0.89, 0.98), "improvement", "top1 0.9 -> 0.95 (outside 0.8256-0.9448)"),
        (TRAINING, top1(74, 0.6463, 0.8160, "e"), "regression", "top1 0.9 -> 0.74 (0.6463-0.8160 outside 0.8256"),
        (TRAINING, put(TRAINING, "body", "test_images", 99), "regression", "images 100 -> 99 (accuracies not comp"),
        (STEP, put(STEP, "macs", 201), "regression", "macs 200 -> 201 (another network)"),
        (COUNT, put(COUNT, "body", "macs_fvcore", 199), "regression", "macs_fvcore 200 -> 199 (counted otherwise)"),
        (PAIR, put(PAIR, "body", "outcome", "timeout"), "regression", "outcome ok -> timeout"),
        (PAIR, put(PAIR, "body", "attest", "threads", 1), "regression", "threads 2 -> 1 (attested)"),
        (PAIR, put(PAIR, "body", "partner_parity", "limit", 2e-4), "regression", "partner_parity_limit 0.0001 -> 0.0"),
        (CLAIM, put(CLAIM, "body", "state", "inconclusive"), "regression", "state measured -> inconclusive"),
    ],
)  # fmt: skip
def test_exact_fact(tmp_path, number, change, kind, text):
    found = compared(tmp_path, change)
    (each,) = [each for each in found.others if each.facts]
    (fact,) = each.facts
    assert (each.name, fact.rating) == (NAMES[number], kind)
    assert text in fact.text
    assert found.exit_code == (1 if kind == "regression" else 0)


def test_a_training_that_diverges_has_no_accuracy(tmp_path):
    texts = [fact.text for fact in compared(tmp_path, diverges).others[0].facts]
    assert texts == ["outcome ok -> diverged (loss nan)", "top1 0.9 -> none (only one run has an accuracy)"]


def figures(*values):
    """Figures of a claim, each with how far its interval reaches on both sides."""
    return put(CLAIM, "body", "figures", [{"value": v, "low": v - s, "high": v + s} for v, s in values])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (figures((12.1, 0.0), (2.5, 0.5)), "figures 12 -> 12.1 (arithmetic came out otherwise)"),
        (figures((2.5, 0.5)), "figures 12 ->  (arithmetic came out otherwise)"),
        (figures((12.0 + 1e-12, 0.0), (9.0, 0.1)), None),  # the last bits, and a figure that was timed
    ],
)
def test_exact_figures_of_a_claim_must_be_the_same(tmp_path, change, text):
    facts = compared(tmp_path, change).others[-1].facts
    assert [fact.text for fact in facts] == ([text] if text else [])


CHANCE = [top1(83, 0.74, 0.89), top1(76, 0.6677, 0.8331, "e"), put(STEP, "body", "seconds", [9.0])]


@pytest.mark.parametrize("change", CHANCE, ids=["the same weights", "trained anew", "a time"])
def test_what_chance_may_do_is_no_fact(tmp_path, change):
    assert [each.facts for each in compared(tmp_path, change).others] == [()] * 5


@pytest.mark.parametrize("state", ["not run", "not testable here"])
def test_a_claim_that_one_run_left_out_is_not_compared(tmp_path, state):
    found = compared(tmp_path, put(CLAIM, "body", "state", state))
    assert (found.exit_code, found.uncompared) == (2, [f"1 claim not in {tmp_path / 'after'}: G-01"])
    assert compared(tmp_path / "subset", put(CLAIM, "body", "state", state), subset=True).exit_code == 0


def another_claim(run):
    claim = others(run)[-1]
    return replace(claim, body=replace(claim.body, id="G-02"))


def test_a_run_without_them_is_not_compared(tmp_path):
    plain, full = load_run(write_run(tmp_path / "plain")), load_run(write_run(tmp_path / "full", beside=others))
    found = compare(full, plain)
    assert found.exit_code == 2
    trained, where = "googlenet-eager-cpu-fp32-b1-224px-quick-s0-digits", tmp_path / "plain"
    assert found.uncompared == [
        f"1 training not in {where}: {trained}",
        f"1 training step not in {where}: {trained}",
        f"1 count not in {where}: googlenet-224px-w1-c1000",
        f"1 pair not in {where}: two_3x3_for_5x5-onnxruntime-cpu-fp32-b1",
        f"1 claim not in {where}: G-01",
    ]
    one = load_run(write_run(tmp_path / "one", cases=CASES[:1], beside=others))
    two = load_run(write_run(tmp_path / "two", cases=CASES[:1], beside=lambda run: [*others(run), another_claim(run)]))
    assert compare(one, two).uncompared == [f"1 claim not in the baseline {tmp_path / 'one'}: G-02"]
    assert compare(plain, two).uncompared[-1] == f"2 claims not in the baseline {where}: G-01, G-02"
    assert "NOT COMPARED: 5 are in one run only; compared without a regression: 4 cells" in comparison_text(found)
    assert compare(plain, full, subset=True).exit_code == 2


def test_a_regression_is_told_by_its_name(tmp_path):
    found = compared(tmp_path, put(PAIR, "body", "attest", "threads", 1))
    assert "REGRESSION in 0 of 4 cells and 1 of 5 others" in comparison_text(found)
    (note,) = comparison_notes(found)
    assert (note.title, note.text) == (NAMES[PAIR], "threads 2 -> 1 (attested)")
    assert f"| {NAMES[PAIR]} | worse | threads 2 -> 1 (attested) |" in comparison_page(found)
    (told,) = [each for each in comparison_json(found)["others"] if each["regressions"]]
    assert (told["name"], told["kind"]) == (NAMES[PAIR], "pair")


def test_claims_alone_can_be_compared(tmp_path):
    runs = [load_run(write_run(tmp_path / name, cases=[], beside=others)) for name in ("before", "after")]
    found = compare(*runs)
    assert found.exit_code == 0
    assert "no regression in 5 others" in comparison_text(found)
