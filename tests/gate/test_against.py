"""``--inception-baseline`` in real runs of the suites."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree

import pytest

from tests.conftest import SMALL

SUITES = "suites/test_regressions.py suites/test_complexity.py suites/test_latency.py"
PORTABLE = "--inception-backends=torchscript,onnxruntime"


@pytest.fixture(scope="module")
def doctored(small_run, tmp_path_factory):
    """A stored run as if ONNX Runtime's artifact had been half as large, and fvcore had counted one MAC more."""
    folder = tmp_path_factory.mktemp("doctored")
    lines = []
    for record in small_run.records():
        if record["case"]["backend"] == "onnxruntime" and record["kind"] == "cell":
            record["body"]["artifact"]["size_bytes"] //= 2
        if record["kind"] == "complexity":
            record["body"]["macs_fvcore"] += 1
        lines.append(json.dumps(record))
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_a_regression_is_red_in_its_own_test_in_junit_and_at_github(launcher, doctored, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "GITHUB_ACTIONS", "true")
    monkeypatch.setitem(os.environ, "GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    junit = tmp_path / "junit.xml"
    options = [*SMALL, PORTABLE, f"--inception-baseline={doctored}", f"--junitxml={junit}"]
    run = launcher.run(tmp_path / "run", *options, suite=SUITES)
    assert run.code == 1, run.output
    assert "2 failed, 4 passed" in run.output
    cases = ElementTree.parse(junit).iter("testcase")
    failed = {
        case.get("name"): case.find("failure").get("message") for case in cases if case.find("failure") is not None
    }
    assert set(failed) == {
        "test_regression[googlenet-onnxruntime-cpu-fp32-b1-32px-w0.125]",
        "test_regression[all-else]",
    }
    assert "artifact_bytes" in failed["test_regression[googlenet-onnxruntime-cpu-fp32-b1-32px-w0.125]"]
    assert "count googlenet-32px-w0.125-c1000: macs_fvcore" in failed["test_regression[all-else]"]
    assert "REGRESSION in 1 of 2 cells and 1 of 1 others" in run.output
    assert "::error title=googlenet-onnxruntime-cpu-fp32-b1-32px-w0.125::artifact_bytes" in run.output
    assert "REGRESSION in 1 of 2 cells and 1 of 1 others" in (tmp_path / "summary.md").read_text()


def test_a_regression_is_exit_code_1_where_its_test_was_not_collected(launcher, doctored, tmp_path):
    options = [*SMALL, "--inception-backends=onnxruntime", f"--inception-baseline={doctored}"]
    run = launcher.run(tmp_path, *options)
    assert "1 passed" in run.output
    assert run.code == 1


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--inception-baseline=/proc/nowhere"], "/proc/nowhere holds no records.jsonl; give a results folder"),
        (["--inception-baseline={results}"], "is where this run writes; give --inception-results too"),
    ],
)
def test_baseline_that_cannot_be_used_is_refused_before_anything_runs(launcher, options, wanted, tmp_path):
    run = launcher.run(tmp_path, *(option.format(results=tmp_path) for option in options))
    assert run.code == 4
    assert wanted in run.output
    assert not (tmp_path / "records.jsonl").exists()


def test_trained_cells_are_compared_on_accuracy_and_cells_that_no_test_measures_are_not(
    launcher, trained_run, tmp_path
):
    doctored = tmp_path / "doctored"
    doctored.mkdir()
    lines = []
    for record in trained_run.records():
        if record["kind"] == "cell" and record["case"]["backend"] == "onnxruntime":
            record["body"]["accuracy"]["right"] //= 2
            record["body"]["artifact"]["size_bytes"] //= 2
        lines.append(json.dumps(record))
    (doctored / "records.jsonl").write_text("\n".join(lines) + "\n")
    options = [*SMALL, "--inception-models=googlenet@bn", "--inception-backends=eager,onnxruntime"]
    suites = "suites/test_training.py suites/test_regressions.py"
    run = launcher.run(tmp_path / "run", *options, f"--inception-baseline={doctored}", suite=suites)
    assert run.code == 1, run.output
    assert "1 failed, 6 passed" in run.output  # a step, a training, two cells, comparisons of these and of all else
    assert "REGRESSION in 1 of 2 cells" in run.output
    assert "googlenet@bn-onnxruntime-cpu-fp32-b1-32px-w0.125-quick-s0-digits: better: top1 0." in run.output
    assert "googlenet@bn-onnxruntime-cpu-fp32-b1-32px-w0.125-quick-s0-digits: worse: artifact_bytes " in run.output


def test_the_baselines_runs_stand_beside_this_one_on_the_board(launcher, small_run, tmp_path):
    """Two runtimes were measured in both; what the machine gave then is told on the board, not only below."""
    run = launcher.run(tmp_path, *SMALL, PORTABLE, f"--inception-baseline={small_run.folder}")
    for text in (run.output.split("against the baseline")[0], (tmp_path / "leaderboard.md").read_text()):
        assert "Over 2 runs on this machine a speed-up moved by " in text
        assert "(median over 2 cells, at most " in text
        assert "This machine gave " in text
