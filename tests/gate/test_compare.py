"""Two stored runs: each rule by a record made by hand, and every way in which a run cannot be compared."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from functools import partial

import pytest
from scipy.stats import t

from inception_bench.errors import UsageError
from inception_bench.gate.stored.compare import compare
from inception_bench.gate.stored.stored_run import load_run
from inception_bench.report.comparison import comparison_json, comparison_notes, comparison_page, comparison_text
from inception_bench.report.github import annotation_lines, append_summary
from tests.conftest import ROOT
from tests.gate.records import CASES, parity, record, rounds, write_run
from tests.gate.records import put as put_into

ORT = 1  # the record of GoogLeNet on ONNX Runtime, in the order of CASES


def compared(tmp_path, change=None, cases=CASES, **options):
    before = load_run(write_run(tmp_path / "before"))
    return compare(before, load_run(write_run(tmp_path / "after", change, cases)), **options)


def test_equal_runs_are_no_regression(tmp_path):
    found = compared(tmp_path)
    assert (found.exit_code, found.regressed, found.uncompared) == (0, [], [])
    assert [cell.timing.verdict for cell in found.cells] == ["not comparable", "same", "not comparable", "same"]
    assert "no regression in 4 cells (exact facts and times)" in comparison_text(found)


def giving(gigamacs):
    """A reading of the machine."""
    pace = {"threads": 2, "fp32_macs_s": gigamacs * 1e9, "by": "onnxruntime product", "copy_bytes_s": 1e10}
    return lambda run: [record("ceilings", run, None, (None, None), {**pace, "spin_s": 0.003, "seconds": 0.1})]


def test_what_the_machine_gave_stands_beside_the_times(tmp_path):
    """61 of 100 GMAC/s are 61 %; readings are no things that could be missing."""
    before = load_run(write_run(tmp_path / "before", beside=giving(100)))
    found = compare(before, load_run(write_run(tmp_path / "after", beside=giving(61))))
    line = "the machine gave 61% of what it gave in run run-before: 61 GMAC/s in fp32 after 100"
    assert line in comparison_text(found)
    assert f"T{line[1:]}." in comparison_page(found)
    assert comparison_json(found)["machine_pace_share"] == pytest.approx(0.61)
    assert found.uncompared == []
    assert "the machine gave" not in comparison_text(compared(tmp_path / "unread"))


put = partial(put_into, ORT)


@pytest.mark.parametrize(("gigamacs", "by", "says"), [(61, 0.1, True), (95, 0.1, False), (61, 0.0, False)])
def test_the_line_of_a_cell_that_moved_says_what_the_machine_gave(tmp_path, gigamacs, by, says):
    """A speed-up of 2 becomes 2 / 1.1 = 1.82. 61 of 100 GMAC/s is another machine, 95 the same."""
    before = load_run(write_run(tmp_path / "before", beside=giving(100)))
    change = put("body", "rounds", rounds(0.010 * (1 + by), 0.020))
    found = compare(before, load_run(write_run(tmp_path / "after", change, beside=giving(gigamacs))))
    cell = found.cells[ORT]
    assert (cell.timing.verdict, cell.timing.before.value) == ("same", pytest.approx(2))
    reason = f"the machine gave {gigamacs}% of what it gave then: {gigamacs} GMAC/s after 100"
    (line,) = [line for line in comparison_text(found).splitlines() if line.startswith(f"  {cell.name}: same: ")]
    assert line.endswith(f"; {reason}") is says
    assert (f"| {reason} |" in comparison_page(found)) is says
    share = {"before": 1e11, "after": gigamacs * 1e9, "share": pytest.approx(gigamacs / 100)}
    assert comparison_json(found)["cells"][ORT]["machine"] == share


def test_a_slower_cell_says_what_the_machine_gave_where_it_is_red(tmp_path):
    before = load_run(write_run(tmp_path / "before", beside=giving(100)))
    after = load_run(write_run(tmp_path / "after", put("body", "rounds", rounds(0.012, 0.020)), beside=giving(61)))
    (sentence,) = compare(before, after).regressed[0].regressions
    assert sentence.startswith("slower against eager by 20.0%; chance allows 14.6%; the machine gave 61% of what")


def test_readings_on_other_threads_are_not_compared(tmp_path):
    """One thread gives less than two: that says nothing of the machine."""

    def on_one_thread(run):
        return [record("ceilings", run, None, (None, None), {**giving(61)(run)[0].body.to_json(), "threads": 1})]

    before = load_run(write_run(tmp_path / "before", beside=giving(100)))
    found = compare(before, load_run(write_run(tmp_path / "after", beside=on_one_thread)))
    assert "the machine gave" not in comparison_text(found)
    assert comparison_json(found)["cells"][ORT]["machine"] is None


def fails(records):
    records[ORT]["body"].update(outcome="mismatch", reason="parity error 2.00e+00", rounds=None, artifact=None)


def counts(right, images=100, dataset="digits"):
    return {
        "dataset": dataset, "images": images, "right": right, "among_five": images, "agreeing": images,
        "only_eager_right": 0, "only_this_right": 0,
    }  # fmt: skip


# Wilson (1927), n = 100, z = 1.96: centre (p + z^2 / 2n) / (1 + z^2 / n), half-width z sqrt(p (1 - p) / n + z^2 / 4n^2)
# over the same; z^2 = 3.8416. p = 0.90: centre 0.919208 / 1.038416 = 0.88520, half-width 0.061858 / 1.038416 = 0.05957,
# so 0.8256 to 0.9448. p = 0.76: 0.6677 to 0.8331; p = 0.74: 0.6463 to 0.8160.
ACCURACY = counts(90)
TRAINED = [case.with_network(weights="recipe:quick:0", data="digits") for case in CASES]


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (put("params", 101), "regression", "params 100 -> 101 (another network)"),
        (put("macs", 199), "regression", "macs 200 -> 199"),
        (fails, "regression", "outcome ok -> mismatch (parity error 2.00e+00)"),
        (put("body", "artifact", "size_bytes", 1_001_001), "regression", "1,000,000 -> 1,001,001 (+0.1%)"),
        (put("body", "artifact", "size_bytes", 1_001_000), "change", "artifact_bytes 1,000,000 -> 1,001,000"),
        (put("body", "artifact", "size_bytes", 500_000), "improvement", "artifact_bytes 1,000,000 -> 500,000 (-50.0%)"),
        (put("body", "attest", "precision", "bf16"), "regression", "precision fp32 -> bf16 (attested)"),
        (put("body", "attest", "threads", 1), "regression", "threads 2 -> 1"),
        (put("body", "attest", "batch_norms_left", 3), "regression", "batch_norms_left 0 -> 3"),
        (put("body", "attest", "engine_version", "1.1"), "change", "engine_version 1.0 -> 1.1"),
        (put("body", "parity", "limit", 2e-4), "regression", "parity_limit 0.0001 -> 0.0002 (a looser limit)"),
        (put("body", "parity", "error", 1.1e-5), "regression", "parity_error 1e-06 -> 1.1e-05 (over 10 times)"),
        (put("body", "weights", "trained:1"), "regression", "weights signal-keeping -> trained:1"),
        (put("body", "accuracy", ACCURACY), "change", "top1 none -> 0.9 (only one run has an accuracy)"),
    ],
)  # fmt: skip
def test_exact_fact(tmp_path, change, kind, text):
    found = compared(tmp_path, change)
    (fact,) = found.cells[ORT].facts
    assert fact.rating == kind
    assert text in fact.text
    assert found.exit_code == (1 if kind == "regression" else 0)


@pytest.mark.parametrize(("error", "facts"), [(9e-6, 0), (1e-7, 0)])
def test_parity_error_within_its_factor_is_no_fact(tmp_path, error, facts):
    assert len(compared(tmp_path, put("body", "parity", "error", error)).cells[ORT].facts) == facts


def accuracies(tmp_path, before, after, cases=CASES, weights=("w", "w")):
    """The facts of two runs that differ in the accuracy, and the weights, of one cell."""

    def change(number, accuracy):
        def put_both(records):
            put("body", "accuracy", accuracy)(records)
            put("body", "weights", weights[number])(records)

        return put_both

    runs = [
        load_run(write_run(tmp_path / name, change(number, accuracy), cases))
        for number, (name, accuracy) in enumerate((("before", before), ("after", after)))
    ]
    return compare(*runs).cells[ORT].facts


@pytest.mark.parametrize(
    ("right", "texts"),
    [
        (82, ["top1 0.9 -> 0.82 (outside 0.8256-0.9448)"]),
        (83, []),
        (94, []),
        (95, ["top1 0.9 -> 0.95 (outside 0.8256-0.9448)"]),
    ],
)
@pytest.mark.parametrize("cases", [CASES, TRAINED], ids=["given", "trained"])
def test_accuracy_of_the_same_weights_counts_beyond_its_interval(tmp_path, right, texts, cases):
    facts = accuracies(tmp_path, ACCURACY, counts(right), cases)
    assert [fact.text for fact in facts] == texts
    assert [fact.rating for fact in facts] == (["regression"] if right < 90 else ["improvement"])[: len(texts)]


@pytest.mark.parametrize(
    ("right", "texts"), [(74, ["top1 0.9 -> 0.74 (0.6463-0.8160 outside 0.8256-0.9448)"]), (76, []), (94, [])]
)
def test_accuracy_of_a_network_that_was_trained_anew_counts_where_intervals_do_not_meet(tmp_path, right, texts):
    weights = ("trained:1", "trained:2")
    first, *rest = accuracies(tmp_path, ACCURACY, counts(right), TRAINED, weights)
    assert (first.rating, first.text) == ("change", "weights trained:1 -> trained:2 (trained anew)")
    assert [fact.text for fact in rest] == texts
    assert {fact.rating for fact in rest} <= {"regression"}


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (counts(90, dataset="fashion-mnist"), "dataset digits -> fashion-mnist (accuracies not comparable)"),
        (counts(90, images=99), "images 100 -> 99 (accuracies not comparable)"),
    ],
)
def test_accuracy_on_other_images_is_another_question(tmp_path, after, text):
    (fact,) = accuracies(tmp_path, ACCURACY, after)
    assert (fact.rating, fact.text) == ("regression", text)


def test_parity_is_not_compared_where_the_network_was_trained_anew(tmp_path):
    def anew(error, params):
        def change(records):
            put("body", "weights", f"trained:{error}")(records)
            put("body", "parity", parity(error))(records)
            put("params", params)(records)

        return change

    before = load_run(write_run(tmp_path / "before", anew(1e-6, 100), TRAINED))
    after = load_run(write_run(tmp_path / "after", anew(5e-5, 101), TRAINED))
    facts = compare(before, after).cells[ORT].facts
    assert [(fact.name, fact.rating) for fact in facts] == [("params", "regression"), ("weights", "change")]
    # The same of weights that no run trains: all three are worse.
    before = load_run(write_run(tmp_path / "given before", anew(1e-6, 100)))
    after = load_run(write_run(tmp_path / "given after", anew(5e-5, 101)))
    facts = compare(before, after).cells[ORT].facts
    assert [fact.name for fact in facts if fact.rating == "regression"] == ["params", "weights", "parity_error"]


def test_an_accuracy_that_is_gone_is_a_regression(tmp_path):
    before = load_run(write_run(tmp_path / "before", put("body", "accuracy", ACCURACY)))
    after = load_run(write_run(tmp_path / "after"))
    assert compare(before, after).exit_code == 1


def slower(by, reference=0.020):
    return put("body", "rounds", rounds(0.010 * (1 + by) * reference / 0.020, reference))


def allowance(shift=0.0):
    """By hand: of four A/A rows two are ln(0.0200 / 0.0196) apart from 0; four cells share 0.005; two runs differ."""
    rms = math.sqrt(2 * math.log(0.0200 / 0.0196) ** 2 / 4)
    return math.expm1(t.ppf(1 - 0.005 / 4, 4) * rms * math.sqrt(2) + shift)


def test_time_counts_beyond_the_spread(tmp_path):
    allowed = allowance()
    assert allowed == pytest.approx(0.146, abs=0.001)
    within = compared(tmp_path / "within", slower(allowed - 0.001)).cells[ORT].timing
    assert (within.verdict, within.allowed) == ("same", pytest.approx(allowed))
    found = compared(tmp_path / "beyond", slower(allowed + 0.001))
    assert found.cells[ORT].timing.verdict == "slower"
    assert found.exit_code == 1
    assert "slower against eager by 14.7%; chance allows 14.6%" in found.regressed[0].regressions[0]
    assert compared(tmp_path / "faster", slower(-0.2)).cells[ORT].timing.verdict == "faster"


def test_a_machine_whose_eager_moved_allows_more(tmp_path):
    # Eager took 20 ms and takes 22: what slowed it by a tenth may have missed the other engine.
    timing = compared(tmp_path, slower(0.2, reference=0.022)).cells[ORT].timing
    assert timing.allowed == pytest.approx(allowance(math.log(1.1)))
    assert timing.verdict == "same"


def test_a_spread_that_allows_anything_is_no_verdict(tmp_path):
    def wild(records):
        records[0]["body"]["rounds"] = rounds(0.010, 0.020)

    timing = compared(tmp_path, wild).cells[ORT].timing
    assert timing.verdict == "not comparable"
    assert "chance alone may move it by over 50% on this machine; inception-bench duet" in timing.reason


def environment(name, value):
    def change(records):
        for line in records:
            line["run"]["environment"][name] = value

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (environment("cpu", "Another"), "another machine (cpu: A CPU -> Another)"),
        (environment("usable_cores", 4), "another machine (usable_cores: 2 -> 4)"),
        (environment("packages", {"torch": "2.14.0"}), "another configuration (packages: torch 2.13.0 -> 2.14.0)"),
    ],
)
def test_times_of_another_machine_are_not_compared_and_exact_facts_are(tmp_path, change, text):
    def both(records):
        change(records)
        slower(1.0)(records)

    found = compared(tmp_path, both)
    assert found.times_reason == f"times not comparable: {text}; inception-bench duet times both in one job"
    assert (found.exit_code, [cell.timing for cell in found.cells]) == (0, [None] * 4)


def test_another_source_is_what_a_gate_is_for(tmp_path):
    assert compared(tmp_path, environment("source_hash", "bb")).times_reason == ""


def test_without_eager_rows_times_are_not_compared(tmp_path):
    only = [case for case in CASES if case.runtime.backend == "onnxruntime"]
    before = load_run(write_run(tmp_path / "before", cases=only))
    found = compare(before, load_run(write_run(tmp_path / "after", cases=only)))
    assert "0 eager-against-eager rows tell this machine's A/A spread, at least 2 are needed" in found.times_reason


def test_cells_of_one_run_only_are_never_green(tmp_path):
    found = compared(tmp_path, cases=CASES[:3])
    assert found.exit_code == 2
    assert found.uncompared == [f"inception_v3-onnxruntime-cpu-fp32-b1-224px: not in {tmp_path / 'after'}"]
    assert compared(tmp_path / "subset", cases=CASES[:3], subset=True).exit_code == 0
    partial = load_run(write_run(tmp_path / "partial", cases=CASES[:3]))
    found = compare(partial, load_run(write_run(tmp_path / "whole")), subset=True)
    assert found.exit_code == 2
    assert found.uncompared == [
        f"inception_v3-onnxruntime-cpu-fp32-b1-224px: not in the baseline {tmp_path / 'partial'}"
    ]


def test_a_regression_outranks_a_gap(tmp_path):
    assert compared(tmp_path, fails, cases=CASES[:3]).exit_code == 1


def test_other_schema_is_refused_by_name(tmp_path):
    folder = write_run(tmp_path / "old")
    text = (folder / "records.jsonl").read_text().replace('"schema": 3', '"schema": 99')
    (folder / "records.jsonl").write_text(text)
    with pytest.raises(UsageError, match=r"schema 99; this version reads 1 to 3 \(and 3 more such lines\): a"):
        load_run(folder)


def test_empty_and_absent_baselines_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"holds no records\.jsonl; give a results folder"):
        load_run(tmp_path)
    (tmp_path / "records.jsonl").touch()
    with pytest.raises(UsageError, match="is empty of what can be compared; run pytest suites/"):
        load_run(tmp_path)
    with pytest.raises(UsageError, match="not one of its 1 cells is ok"):
        load_run(write_run(tmp_path / "red", lambda records: records[0]["body"].update(outcome="failed"), CASES[:1]))


def test_cut_baseline_is_refused(tmp_path):
    folder = write_run(tmp_path / "cut")
    whole = (folder / "records.jsonl").read_bytes()
    (folder / "records.jsonl").write_bytes(whole[:-20])
    with pytest.raises(UsageError, match=r"line 4 skipped .*: a run that cannot be read whole is no baseline"):
        load_run(folder)


def run_command(*words, env=None):
    command = [sys.executable, "-m", "inception_bench", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=env)


def test_accepted_baseline_says_who_when_why_and_shows_a_change_by_hand(tmp_path):
    run = write_run(tmp_path / "run")
    done = run_command("baseline", "accept", run, "--why", "first", "--who", "Ada", "--to", tmp_path / "kept")
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "kept" / "baseline.json").read_text())
    assert (kept["who"], kept["why"], kept["run_id"]) == ("Ada", "first", "run-run")
    assert load_run(tmp_path / "kept").acceptance.why == "first"
    records = tmp_path / "kept" / "records.jsonl"
    records.write_text(records.read_text().replace("0.01,", "0.02,"))
    done = run_command("compare", tmp_path / "kept", run)
    assert done.returncode == 2
    assert "is not what Ada accepted on" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reason_is_needed(tmp_path):
    done = run_command("baseline", "accept", write_run(tmp_path / "run"), "--why", " ")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--why is empty" in done.stderr


def test_command_exits_with_the_answer(tmp_path):
    before, after = write_run(tmp_path / "a"), write_run(tmp_path / "b", fails)
    done = run_command("compare", before, before)
    assert (done.returncode, done.stderr) == (0, "")
    page = tmp_path / "page.md"
    done = run_command("compare", before, after, "--json", "--markdown", page)
    assert done.returncode == 1
    cell = json.loads(done.stdout)["cells"][ORT]
    assert cell["regressions"] == ["outcome ok -> mismatch (parity error 2.00e+00)"]
    # The keys are public, whatever the program calls them.
    assert cell["facts"][0] == {
        "name": "outcome", "before": "ok", "after": "mismatch", "kind": "regression", "why": "parity error 2.00e+00",
    }  # fmt: skip
    assert page.read_text().startswith("# Comparison: REGRESSION in 1 of 4 cells\n")
    done = run_command("compare", tmp_path / "nowhere", after)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_github_gets_a_summary_and_annotations(tmp_path):
    found = compared(tmp_path, fails)
    notes = comparison_notes(found)
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    assert annotation_lines(notes, environ) == [
        "::error title=googlenet-onnxruntime-cpu-fp32-b1-224px::outcome ok -> mismatch (parity error 2.00e+00)"
    ]
    assert annotation_lines(notes, {}) == []
    append_summary(comparison_page(found), environ)
    assert (
        "| googlenet-onnxruntime-cpu-fp32-b1-224px | worse | outcome ok -> mismatch"
        in (tmp_path / "summary.md").read_text()
    )
    assert comparison_json(found)["exit_code"] == 1
