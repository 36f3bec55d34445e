"""What is timed is expected from where it was measured: a CPU's expectation says nothing of a GPU."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from inception_bench.claims.ledger import find_claim, ledger, read_claim
from inception_bench.claims.methods.timed import judge_timed
from inception_bench.claims.outcome import broken, judge_exact, not_run, read_outcome
from inception_bench.plugin.items import claims
from inception_bench.plugin.items.claims import ClaimItem
from inception_bench.records.claim_body import ClaimBody
from inception_bench.records.journal import Journal
from inception_bench.records.record import Record
from inception_bench.report.claims import claim_row, outcomes_of
from inception_bench.report.claims_answer import claims_text
from inception_bench.report.claims_page import claims_page
from inception_bench.report.claims_text import explanation, summary
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import PROFILES
from inception_bench.spec.runtime import Runtime
from tests.claims.test_timing import CLAIM, RUN, pair_record

TIMED = ["S1-17", "S2-11", "G-08", "I-03"]
REASON = (
    "no expectation on cuda yet; on a CPU: reproduced, as 2.8 times fewer MACs; "
    "two 3x3 for a 5x5 are timed in modules.md, and 'better' has no figure"
)


def test_all_but_times_is_the_same_on_every_device():
    other = [claim.id for claim in ledger().values() if claim.expected_on("cuda") != claim.expected_on("cpu")]
    assert [claim.id for claim in ledger().values() if claim.is_timed] == TIMED == other
    assert all(find_claim(name).expected_on("cuda") is None for name in TIMED)
    assert all(claim.expected_on("cpu") == claim.expected for claim in ledger().values())


def test_a_verdict_that_a_cpu_would_be_red_for_is_told_on_a_gpu():
    """The larger kernel in half the time: where launches count, both should take as long."""
    on_cpu, on_gpu = (judge_timed(CLAIM, [pair_record(0.5, device=device)]) for device in ("cpu", "cuda"))
    assert on_cpu.verdict == on_gpu.verdict == "contradicted"
    assert (on_cpu.as_expected, on_cpu.remark) == (False, "expected reproduced")
    assert (on_gpu.as_expected, on_gpu.remark) == (True, "no expectation on cuda yet")
    assert [each.value for each in on_gpu.figures] == pytest.approx([each.value for each in on_cpu.figures])


@pytest.mark.parametrize(("ratio", "fine"), [(0.5, True), (2.0, False)])
def test_a_gpus_own_expectation_counts_there_and_nowhere_else(ratio, fine):
    claim = replace(CLAIM, expected_cuda="contradicted", reason_cuda="two launches in place of one")
    on_gpu = judge_timed(claim, [pair_record(ratio, device="cuda")])
    assert (on_gpu.as_expected, on_gpu.remark) == (fine, "" if fine else "expected contradicted")
    assert on_gpu.reason == "two launches in place of one"
    on_cpu = judge_timed(claim, [pair_record(ratio)])
    assert (on_cpu.as_expected, on_cpu.reason) == (not fine, CLAIM.reason)


def test_a_measuring_that_failed_is_red_on_every_device():
    failed = judge_timed(CLAIM, [pair_record(1, device="cuda", outcome="failed")])
    assert (failed.verdict, failed.as_expected, failed.is_first) == ("inconclusive", False, False)
    assert not replace(broken(CLAIM, "it broke"), device="cuda").as_expected


def test_an_exact_claim_that_comes_out_otherwise_is_red_on_every_device():
    wrong = replace(judge_exact(find_claim("S4-02"), [1]), device="cuda")
    assert (wrong.as_expected, wrong.remark) == (False, "expected reproduced")


@pytest.fixture
def records():
    """A run on a GPU: one timed claim, one exact one, one timed one that its profile left out."""
    pair = pair_record(0.5, device="cuda")
    outcomes = [judge_timed(CLAIM, [pair]), judge_exact(find_claim("S2-06"), [22]), not_run(find_claim("I-03"), "left")]
    bodies = [replace(outcome, device="cuda").body for outcome in outcomes]
    return [pair, *(Record("claim", RUN, None, None, None, body) for body in bodies)]


def test_a_stored_run_is_read_by_its_device(records):
    outcomes = {outcome.claim.id: outcome for outcome in outcomes_of(records)}
    assert all(outcome.as_expected for outcome in outcomes.values())
    rows = {name: claim_row(outcome, "r1") for name, outcome in outcomes.items()}
    timed = rows["S1-17"]
    assert (timed.verdict, timed.expected) == ("contradicted", "")
    assert timed.reason == f"3x3_for_5x5: eager b1 0.50; {REASON}"
    # Timed claims that were left out, or not selected, have no expectation either; all else has.
    assert [(rows[name].verdict, rows[name].expected) for name in ("I-03", "G-08")] == [("not run", "")] * 2
    assert (rows["S2-06"].expected, rows["G-01"].expected) == ("reproduced", "contradicted")


def test_pages_say_that_there_is_no_expectation_yet(records, tmp_path):
    outcomes = outcomes_of(records)
    page = claims_page(outcomes, RUN)
    assert "| **contradicted** (no expectation on cuda yet) |" in page
    assert "What is timed was expected from CPUs alone" in page
    assert "## Otherwise than expected" not in page
    assert page.count("**not run** |") == 188
    assert summary(outcomes).endswith("; all as expected; no expectation on cuda yet: S1-17")
    for record in records:
        Journal(tmp_path / "records.jsonl").append(record)
    text, fine = claims_text(tmp_path, None, json=False, colour=False)
    assert fine
    assert "contradicted, no expectation on cuda yet" in " ".join(text.split())


def test_pages_of_a_cpu_say_nothing_of_it():
    pair = pair_record(2.0)
    claim = Record("claim", RUN, None, None, None, judge_timed(CLAIM, [pair]).body)
    page = claims_page(outcomes_of([pair, claim]), RUN)
    assert "expected from CPUs" not in page
    assert "no expectation" not in page


def test_records_of_earlier_versions_are_of_cpus():
    stored = replace(judge_exact(find_claim("S2-06"), [22]), device="cuda").body.to_json()
    assert read_outcome(find_claim("S2-06"), ClaimBody.from_json(stored)).device == "cuda"
    del stored["run_device"]
    assert read_outcome(find_claim("S2-06"), ClaimBody.from_json(stored)).device == "cpu"


def test_a_claim_explained_tells_of_both_devices():
    outcome = not_run(CLAIM, "")
    assert "  expected on cuda: no expectation yet\n" in explanation(outcome, measured=False)
    known = replace(CLAIM, expected_cuda="contradicted", reason_cuda="two launches")
    assert "  expected on cuda: contradicted: two launches\n" in explanation(not_run(known, ""), measured=False)
    assert "on cuda" not in explanation(not_run(find_claim("G-01"), ""), measured=False)


ENTRY = {
    "id": "X-01", "kind": "latency", "statement": "a", "figure": "2x", "claimed": "> 1", "measure": "pair",
    "with": {"pairs": ["3x3_for_5x5"]}, "expected": "reproduced", "reason": "b",
}  # fmt: skip


def test_an_entry_of_the_ledger_may_have_an_expectation_on_a_gpu():
    found = read_claim({**ENTRY, "expected_cuda": "contradicted", "reason_cuda": "c"}, "a paper")
    assert (found.expected_on("cuda"), found.reason_on("cuda")) == ("contradicted", "c")


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"expected_cuda": "slower", "reason_cuda": "c"}, "expected_cuda 'slower' is none of reproduced, contradicted"),
        ({"expected_cuda": "contradicted"}, "expected_cuda needs reason_cuda"),
        ({"reason_cuda": "c"}, "expected_cuda '' is none of"),
        (
            {"kind": "accuracy", "expected_cuda": "contradicted", "reason_cuda": "c"},
            "only what is timed has an expected",
        ),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(more, wanted):
    with pytest.raises(ValueError, match=f"claim X-01: {wanted}"):
        read_claim({**ENTRY, **more}, "a paper")


@pytest.fixture
def check(monkeypatch):
    """Check S1-17 in a run on a device where a 3x3 takes twice the time of a 5x5; what is kept of it, and told."""

    def run(device, profile="quick"):
        kept, told = [], []
        selection = SimpleNamespace(
            profile=PROFILES[profile],
            cases=[Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("eager", device, "fp32", 1, 1))],
        )
        bench = SimpleNamespace(selection=selection, trained_before=lambda _: None, keep_claim=kept.append)
        watch = SimpleNamespace(begin=lambda _: None, finish=lambda *words, **_: told.append(words))
        monkeypatch.setattr(claims, "measure_pair", lambda *_: pair_record(0.5, device=device))
        fixture = SimpleNamespace(pedantic=lambda call: call())
        with nullcontext() if profile == "quick" else pytest.raises(pytest.skip.Exception):
            ClaimItem(bench, watch, timed=True, claim=CLAIM).check(fixture)
        return kept, told

    return run


def test_a_run_on_a_gpu_is_not_red_for_a_guess(check):
    kept, told = check("cuda")
    assert [outcome.body.run_device for outcome in kept] == ["cuda"]
    ((verdict, remark),) = told
    assert verdict == "contradicted"
    assert re.fullmatch(r"0\.5 x \(0\.\d+ x to 0\.\d+ x\); no expectation on cuda yet", remark)


def test_what_a_run_on_a_gpu_leaves_out_is_kept_as_of_a_gpu(check):
    (kept,), _ = check("cuda", "smoke")
    assert (kept.verdict, kept.body.run_device) == ("not run", "cuda")


def test_a_run_on_a_cpu_is_red_for_news(check):
    with pytest.raises(pytest.fail.Exception, match="S1-17: contradicted, expected reproduced; claimed > 1"):
        check("cpu")
