"""Accuracy: its arithmetic by hand, and of trained networks on real runtimes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from inception_bench.data.parts import StoredPart
from inception_bench.data.sets import PLAIN
from inception_bench.measure.accuracy import Counts, answers_to, best_classes, count
from tests.conftest import SMALL


def test_best_classes_by_hand():
    logits = np.array([[0.0, 3.0, 1.0, 2.0, -1.0, 0.5], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, np.nan, 0, 0, 0, 0]])
    # Equal logits in the order of their classes; a row with a value that is no number has no answer.
    assert best_classes(logits).tolist() == [[1, 3, 2, 5, 0], [0, 1, 2, 3, 4], [-1] * 5]


def test_few_classes_are_all_among_the_best():
    assert best_classes(np.array([[1.0, 2.0]])).tolist() == [[1, 0]]


def test_counts_by_hand():
    labels = np.array([0, 1, 2, 3])
    own = np.array([[0, 1], [2, 1], [2, 0], [0, 1]])  # right: 0 and 2; among the best: 0, 1, 2
    eager = np.array([[0, 1], [1, 0], [0, 2], [0, 1]])  # right: 0 and 1
    counted = count(own, eager, labels, "four")
    assert counted == Counts("four", 4, right=2, among_five=3, agreeing=2, only_eager_right=1, only_this_right=1)
    assert (counted.agreement, counted.loss, counted.chance()) == (0.5, 0.0, 1.0)
    assert counted.reason() == ""


@pytest.mark.parametrize(
    ("only_eager", "only_this", "images", "wrong"),
    [
        # Two-sided exact test: 2 * 0.5 ** 10 = 0.002 < 1 %, and 10 of 500 images is 2 points.
        (10, 0, 500, True),
        # As unlikely, but 10 of 1,000 is one point, not over it.
        (10, 0, 1000, False),
        # 2 * 0.5 ** 7 = 0.016: chance, although 7 of 100 is 7 points.
        (7, 0, 100, False),
        # Better than eager is never wrong.
        (0, 10, 500, False),
    ],
)
def test_wrong_is_a_loss_that_chance_cannot_explain(only_eager, only_this, images, wrong):
    counts = Counts("set", images, images // 2, images, images // 2, only_eager, only_this)
    assert bool(counts.reason()) == wrong


def test_wilson_interval_of_the_board():
    # Wilson (1927) for 9 of 10 at z = 1.959964: centre (0.9 + 0.19207) / 1.38415 = 0.78899, half width 0.19314.
    found = Counts("set", 10, 9, 10, 10, 0, 0).accuracy()
    assert (found.top1, found.top5) == (0.9, 1.0)
    assert found.top1_ci95_low == pytest.approx(0.59585, abs=2e-5)
    assert found.top1_ci95_high == pytest.approx(0.98212, abs=2e-5)


def test_all_images_are_asked_in_order(monkeypatch):
    monkeypatch.setattr("inception_bench.measure.accuracy._CHUNK_BYTES", 2 * 3 * 4 * 4 * 4)  # two images a file
    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    asked = []

    def ask(path: Path) -> np.ndarray:
        images = np.load(path)
        asked.append(len(images))
        return np.eye(6)[np.rint(images[:, 0, 0, 0] * 255).astype(int)]

    answers = answers_to(StoredPart(pixels, np.arange(5), PLAIN), ask)
    assert answers[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert asked == [2, 2, 1]


def test_every_runtime_has_the_accuracy_of_what_was_trained(trained_run):
    rows = {row["backend"]: row for row in trained_run.rows()}
    with (trained_run.folder / "training.csv").open(newline="") as stream:
        (trained,) = csv.DictReader(stream)
    assert float(trained["top1"]) > 0.8, "a network that did not learn shows nothing"
    for backend in ("eager", "torchscript", "onnxruntime"):
        row = rows[backend]
        assert (row["outcome"], row["dataset"], row["accuracy_images"]) == ("ok", "digits", "359")
        assert row["top1"] == trained["top1"]
        assert (row["top1_ci95_low"], row["top1_ci95_high"]) == (trained["top1_ci95_low"], trained["top1_ci95_high"])
        assert float(row["top1_agreement"]) == 1.0
        assert row["weights"] == rows["eager"]["weights"] != "signal-keeping"
        assert row["weights"].startswith("trained:")


def test_an_artifact_that_loses_right_answers_is_a_mismatch(trained_run):
    assert trained_run.code == 1
    row = {row["backend"]: row for row in trained_run.rows()}["tires"]
    assert (row["outcome"], row["latency_s_p50"]) == ("mismatch", "")
    assert "below eager's on the same 359 images" in row["reason"]
    assert float(row["top1"]) < 0.5
    (record,) = [r for r in trained_run.records() if r["kind"] == "cell" and r["case"]["backend"] == "tires"]
    assert record["body"]["stage"] == "accuracy"


def test_training_and_step_are_recorded(trained_run):
    kinds = [record["kind"] for record in trained_run.records()]
    assert kinds == ["step", "training", "cell", "cell", "cell", "cell"]
    step, training = trained_run.records()[:2]
    assert len(step["body"]["seconds"]) == 3
    assert min(step["body"]["seconds"]) > 0
    assert step["body"]["peak_rss_bytes"] > 100e6
    assert training["body"]["outcome"] == "ok"
    page = (trained_run.folder / "leaderboard.md").read_text()
    assert "## Training" in page
    assert "## A training step" in page


def test_aux_heads_are_absent_from_what_is_run(launcher, trained_run):
    """The trained network had two aux heads; what was kept and exported has the params of a network without."""
    (training,) = [r for r in trained_run.records() if r["kind"] == "training"]
    folder = trained_run.folder / training["body"]["checkpoint"]
    from safetensors.numpy import load_file

    tensors = load_file(folder / "weights.safetensors")
    counted = sum(
        value.size for name, value in tensors.items() if not name.endswith(("running_mean", "running_var", "tracked"))
    )
    rows = {row["backend"]: row for row in trained_run.rows()}
    assert counted == int(rows["onnxruntime"]["params"])
    assert not any("aux" in name for name in tensors)
    assert json.loads((folder / "trained.json").read_text())["model"] == "googlenet@bn"


def test_given_weights_are_measured_instead(launcher, trained_run, tmp_path):
    """The very file that training left, given by its path: the same network, so the same accuracy."""
    (training,) = [r for r in trained_run.records() if r["kind"] == "training"]
    given = trained_run.folder / training["body"]["checkpoint"] / "weights.safetensors"
    options = (f"--inception-weights={given}", "--inception-data=digits", "--inception-backends=onnxruntime")
    run = launcher.run(tmp_path, *SMALL, "--inception-models=googlenet@bn", *options)
    assert run.code == 0, run.output
    row = run.row("onnxruntime")
    assert row["weights"].startswith("weights.safetensors:")
    assert (row["num_classes"], row["dataset"]) == ("10", "digits")
    assert float(row["top1"]) == training["body"]["top1"]
    assert "test_training" not in run.output


def test_a_trained_network_is_not_trained_again(launcher, trained_run, tmp_path):
    options = (*SMALL, "--inception-models=googlenet@bn", "--inception-backends=onnxruntime")
    again = launcher.run(tmp_path, *options, suite="suites/test_training.py::test_training")
    assert again.code == 0, again.output
    (training,) = [r for r in again.records() if r["kind"] == "training"]
    assert training["body"]["cached"] is True
    assert "from the cache" in again.output
