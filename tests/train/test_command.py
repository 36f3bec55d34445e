"""``inception-bench train``: one JSON document, one line for bad input, the next run goes on."""

from __future__ import annotations

import csv
import json
import sys

import pytest

from inception_bench import cli
from inception_bench.train.command import ProgressLine, progress_text
from inception_bench.train.loop import Progress
from inception_bench.train.trained import COLUMNS

SMALL = ("--width-mult=0.125", "--input-size=32", "--device=cpu", "--threads=1")


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["inception-bench", "train", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_json_is_one_document_and_the_row_is_in_training_csv(monkeypatch, capsys, tmp_path):
    what = ("googlenet@bn", "--data=digits", "--recipe=quick", "--without=aux,dropout", "--max-steps=3", *SMALL)
    assert run(monkeypatch, *what, f"-o{tmp_path}", "--json") == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["recipe"] == "quick-aux-dropout"
    assert (found["model"], found["dataset"], found["seed"], found["scale"]) == (
        "googlenet@bn",
        "digits",
        0,
        "w0.125-32px",
    )
    assert found["top1_ci95_low"] <= found["top1"] <= found["top1_ci95_high"] <= 1
    assert "step 3/3" in printed.err
    with (tmp_path / "training.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert tuple(row) == COLUMNS
    assert str(tmp_path / row["checkpoint"]) == found["checkpoint"]
    assert json.loads((tmp_path / "environment.json").read_text())["environment"]["usable_cores"] >= 1
    # The same command finds all steps done, and says the same.
    assert run(monkeypatch, *what, f"-o{tmp_path}", "--json") == 0
    assert json.loads(capsys.readouterr().out) == found


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["inception_v9"], "unknown model 'inception_v9'"),
        (["googlenet", "--data=digit"], "unknown data set 'digit'; did you mean 'digits'?"),
        (["googlenet", "--recipe=pape"], "unknown recipe of googlenet 'pape'; did you mean 'paper'?"),
        (["alexnet"], "unknown recipe of alexnet 'quick' (known: sgd)"),
        (["googlenet", "--without=aus"], "unknown part of a recipe 'aus'; did you mean 'aux'?"),
        (["googlenet", "--epochs=0"], "epochs 0.0 is not possible; give a number above 0"),
        (["googlenet", "--max-steps=0"], "max_steps 0 is not possible; give at least 1"),
        (["googlenet", "--seed=-1"], "seed -1 is not possible"),
        (["googlenet", "--rate=-1"], "rate -1.0 is not possible"),
        (["googlenet", "--batch-size=2000"], "training images are fewer than one batch of 2000"),
        (["googlenet", "--input-size=31"], "googlenet: input size 31 is too small; the least is 32 pixels"),
        (["googlenet", "--device=tpu"], "unknown device 'tpu'"),
        (["googlenet", "--precision=fp8"], "precision 'fp8' is not known; give one of 32-true, tf32, bf16-mixed"),
        (["googlenet", "--data=imagefolder:/nowhere"], "imagefolder:/nowhere is no folder"),
        (["googlenet", "--data=hf:"], "hf: names no set; write for example hf:"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(monkeypatch, capsys, tmp_path, given, wanted):
    usual = [text for text in ("--data=digits", "--max-steps=1") if not any(text[:6] == own[:6] for own in given)]
    assert run(monkeypatch, *given, *usual, f"-o{tmp_path}") == 2
    line = capsys.readouterr().err.strip()
    assert wanted in line
    assert "\n" not in line


def test_a_run_that_diverges_is_one_line_and_exit_code_1(monkeypatch, capsys, tmp_path):
    what = ("googlenet", "--data=digits", "--rate=1000", "--max-steps=20", *SMALL)
    assert run(monkeypatch, *what, f"-o{tmp_path}") == 1
    printed = capsys.readouterr()
    assert "inception-bench: loss " in printed.err.splitlines()[-1]
    assert "the largest activation is in" in printed.err.splitlines()[-1]
    assert not (tmp_path / "training.csv").exists()


def test_progress_has_loss_accuracy_pace_and_time_left():
    progress = Progress(step=40, steps=312, epoch=1.026, loss=1.2345, accuracy=0.951, images_s=94.7, left_s=62.2)
    assert progress_text(progress) == "step 40/312, epoch 1.03, loss 1.234, validation 0.951, 95 images/s, 1:02 left"


def test_a_file_gets_a_line_every_ten_seconds_and_the_last_one():
    written: list[str] = []
    times = iter([0.0, 5.0, 10.0, 12.0])
    line = ProgressLine(written.append, lambda: next(times), terminal=False)
    for step in (1, 2, 3, 4):
        line(Progress(step, 4, 1.0, 1.0, None, 10.0, 0.0))
    assert [text.split(",")[0] for text in written] == ["step 1/4", "step 3/4", "step 4/4"]
