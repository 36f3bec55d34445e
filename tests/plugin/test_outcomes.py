"""Each outcome has its colour in pytest, its row on the board, and leaves the other cells alone."""

from __future__ import annotations

import pytest

from tests.conftest import SMALL

TIMES = ("rank", "latency_s_p50", "latency_s_p90", "speedup_vs_eager", "throughput_img_s", "rounds")


def test_the_run_is_red_and_still_complete(faulty_run):
    assert faulty_run.code == 1
    assert "6 failed, 1 passed, 1 skipped" in faulty_run.output
    assert len(faulty_run.rows()) == 8


def test_ok_beside_all_others(faulty_run):
    row = faulty_run.row("onnxruntime")
    assert row["outcome"] == "ok"
    assert row["rank"] == "1-1"


@pytest.mark.parametrize(
    ("backend", "outcome", "reason"),
    [
        ("wrong_kernel", "mismatch", "over the limit 1e-04"),
        ("killed", "failed", "killed by SIGKILL"),
        ("segfaults", "failed", "killed by SIGSEGV"),
        ("breaks_build", "failed", "killed by SIGABRT"),
        ("hangs", "timeout", "over its limit of 20 s"),
        ("liar", "mislabelled", "precision: asked fp32, effective bf16"),
        ("absent", "unavailable", "pip install an-engine-that-nobody-has"),
    ],
)
def test_outcome_has_reason_and_no_time(faulty_run, backend, outcome, reason):
    row = faulty_run.row(backend)
    assert row["outcome"] == outcome
    assert reason in row["reason"]
    assert [row[column] for column in TIMES] == [""] * len(TIMES)
    assert f"{outcome}: " in (faulty_run.folder / "leaderboard.md").read_text().replace("**", "")


@pytest.mark.parametrize(
    ("backend", "stage"),
    [
        ("killed", "time"),
        ("segfaults", "time"),
        ("hangs", "time"),
        ("breaks_build", "build"),
        ("wrong_kernel", "parity"),
    ],
)
def test_record_names_the_stage(faulty_run, backend, stage):
    (record,) = [record for record in faulty_run.records() if record["case"]["backend"] == backend]
    assert record["body"]["stage"] == stage


def test_mismatch_keeps_its_error(faulty_run):
    row = faulty_run.row("wrong_kernel")
    assert float(row["parity_error"]) > 0.1 > float(row["parity_limit"])


def test_absent_engine_is_green_alone_and_red_where_required(launcher, tmp_path):
    green = launcher.run(tmp_path / "a", *SMALL, "--inception-backends=absent")
    assert green.code == 0, green.output
    assert "1 skipped" in green.output
    red = launcher.run(tmp_path / "b", *SMALL, "--inception-backends=absent", "--inception-require=absent")
    assert red.code == 1
    assert "1 failed" in red.output
