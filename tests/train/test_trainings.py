"""What ``inception-bench train`` leaves in a folder of results: records, from which one writer makes the tables."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inception_bench.cli import app
from inception_bench.gate.stored.compare import compare
from inception_bench.gate.stored.stored_run import load_run
from inception_bench.measure.training import case_of, job_of
from inception_bench.models.weights.description import write_description
from inception_bench.records.journal import FILE, TRAIN, Journal
from inception_bench.records.kinds import TRAINING
from inception_bench.records.record import Run
from inception_bench.report.files import write_trained
from inception_bench.spec.network import trained_weights
from inception_bench.train.job import Job, Machine
from inception_bench.train.recipes import find_recipe
from inception_bench.train.trained import COLUMNS, CSV, Trained, read_training
from tests.records.made import example

JOB = Job("googlenet@bn", "digits", find_recipe("quick", "googlenet@bn"), machine=Machine(threads=1))


def trained(folder: Path, seed: int = 0, **given) -> Trained:
    """A training as the loop gives it, with a network that says how many classes it has."""
    network = folder / f"seed{seed}" / "network"
    network.mkdir(parents=True, exist_ok=True)
    write_description(network, {"address": JOB.model, "width_mult": JOB.width, "num_classes": 10})
    about = {"model": JOB.model, "recipe": JOB.recipe.name, "scale": JOB.scale, "dataset": "digits", "outcome": "ok"}
    log = str(network.parent / "log.jsonl")
    return example(Trained, **{**about, "seed": seed, "checkpoint": str(network), "log": log, **given})


def keep(folder: Path, seed: int = 0, **given) -> None:
    write_trained(folder, Run.begin(TRAIN), replace(JOB, seed=seed), trained(folder, seed, **given))


def test_a_training_is_a_record_of_the_case_that_a_suite_would_train(tmp_path):
    keep(tmp_path, seed=3)
    (record,) = TRAINING.among(Journal(tmp_path / FILE).read()[0])
    case = record.own_case
    network, runtime = case.network, case.runtime
    assert (network.address, network.weights, network.data) == ("googlenet@bn", trained_weights("quick", 3), "digits")
    assert (network.num_classes, runtime.precision, runtime.device, runtime.threads) == (10, "fp32", "cpu", 1)
    assert job_of(case).identity() == replace(JOB, seed=3).identity()
    # Both as seen from the folder, which can so be moved.
    assert (record.body.checkpoint, record.body.log) == ("seed3/network", "seed3/log.jsonl")


def test_a_row_is_replaced_by_network_recipe_scale_set_and_seed(tmp_path):
    for seed, top1 in ((0, 0.25), (1, 0.5), (0, 0.75)):
        keep(tmp_path, seed, top1=top1)
    path = tmp_path / CSV
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    rows = read_training(path)
    assert {(row["seed"], row["top1"], row["checkpoint"]) for row in rows} == {
        ("0", "0.75", "seed0/network"),
        ("1", "0.5", "seed1/network"),
    }
    assert "| googlenet@bn | quick |" in (tmp_path / "training.md").read_text()


def test_trainings_that_end_together_keep_each_others_rows(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: keep(tmp_path, seed), range(24)))
    assert sorted(int(row["seed"]) for row in read_training(tmp_path / CSV)) == list(range(24))
    records, complaints = Journal(tmp_path / FILE).read()
    assert (len(records), complaints) == (24, [])


def test_rows_of_older_revisions_stay(tmp_path):
    """They wrote rows and no records."""
    keep(tmp_path / "new", seed=0)
    (row,) = read_training(tmp_path / "new" / CSV)
    with (tmp_path / CSV).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows([{**row, "seed": "7"}, {**row, "seed": "0", "top1": "0.125"}])
    keep(tmp_path, seed=0, top1=0.5)
    assert [(each["seed"], each["top1"]) for each in read_training(tmp_path / CSV)] == [
        ("7", row["top1"]),
        ("0", "0.5"),
    ]


def test_board_makes_the_tables_again(tmp_path):
    for seed in (0, 1):
        keep(tmp_path, seed)
    made = {name: (tmp_path / name).read_text() for name in (CSV, "training.md")}
    for name in made:
        (tmp_path / name).unlink()
    done = CliRunner().invoke(app, ["board", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert f"written: {tmp_path / 'training.csv'}" in done.output.replace("\n", "")
    assert {name: (tmp_path / name).read_text() for name in made} == made


@pytest.mark.parametrize(("top1", "regressed"), [(0.90, 0), (0.70, 1)])
def test_two_folders_of_trainings_are_compared(tmp_path, top1, regressed):
    """Trained anew to 0.70 (0.60 to 0.80) where it was 0.90 (0.85 to 0.95): apart."""
    for name, value, low, high, digest in (
        ("before", 0.9, 0.85, 0.95, "d"),
        ("after", top1, top1 - 0.1, top1 + 0.1, "e"),
    ):
        shares = {"top1": value, "top1_ci95_low": low, "top1_ci95_high": high}
        for seed in (0, 1):
            keep(tmp_path / name, seed, digest=digest, test_images=100, **(shares if seed else {}))
    found = compare(load_run(tmp_path / "before"), load_run(tmp_path / "after"))
    assert (len(found.others), len(found.regressed), found.uncompared) == (2, regressed, [])


def test_a_bf16_training_is_of_the_bf16_case(tmp_path):
    job = replace(JOB, machine=Machine("cpu", "bf16-mixed", 2))
    assert case_of(job, trained(tmp_path)).runtime.precision == "bf16"
    assert json.dumps(case_of(job, trained(tmp_path)).to_json())
