"""What a training run leaves, what it must not depend on, and what stops it."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inception_bench import Changes, complexity
from inception_bench.data.sets import open_data
from inception_bench.errors import UsageError
from inception_bench.models.weights.stored import load_network
from inception_bench.train.checkpoint import FILE
from inception_bench.train.job import Machine
from inception_bench.train.log import losses, read_log, validations
from inception_bench.train.loop import train
from inception_bench.train.step import DivergedError
from tests.conftest import ROOT

# The same job as ``tiny`` makes, in a process that kills itself (SIGKILL) from within a step.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from inception_bench.train.loop import train
from tests.train.test_loop import resumable

def report(progress):
    if progress.step == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

train(resumable(), Path(sys.argv[1]), report)
"""


def resumable(**changed):
    """All that has a state: momentum, running mean square, average of weights, dropout, batch norm, aux heads."""
    from inception_bench.train.job import Job, Machine
    from inception_bench.train.recipe import Recipe

    recipe = Recipe("all", "tf-rmsprop", 0.02, 32, 2, clip=2.0, weight_decay=4e-5, averaging=0.99, recalibration=2)
    whole = {"width_mult": 0.125, "input_size": 32, "max_steps": 24, "train_images": 320, "checkpoint_steps": 7}
    whole = {**whole, "machine": Machine(threads=1), "evaluate_at": (16,), "evaluations": 1, **changed}
    return Job("googlenet@bn", "digits", recipe, **whole)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return train(resumable(), tmp_path_factory.mktemp("unbroken"))


def test_killed_in_the_middle_of_an_epoch_and_resumed_ends_with_the_same_weights(unbroken, tmp_path):
    """Ten steps an epoch, a checkpoint every seven; the kill comes in step 18."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path), "18"], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    resumed_at = []
    resumed = train(resumable(), tmp_path, lambda progress: resumed_at.append(progress.step))
    assert resumed_at == list(range(15, 25))
    assert resumed.digest == unbroken.digest
    assert losses(Path(resumed.log)) == losses(Path(unbroken.log))
    assert validations(Path(resumed.log)) == validations(Path(unbroken.log))
    assert [line["step"] for line in read_log(Path(resumed.log)) if line["kind"] == "step"] == list(range(1, 25))


def test_another_seed_gives_other_weights(unbroken, tmp_path):
    assert train(resumable(seed=1), tmp_path).digest != unbroken.digest


def test_trained_network_is_loaded_like_any_other_and_has_no_aux_heads(unbroken):
    network = load_network(Path(unbroken.checkpoint))
    wanted = complexity("googlenet@bn", width_mult=0.125, num_classes=10)
    assert sum(weight.numel() for weight in network.parameters()) == wanted.params_without_aux
    # Its accuracy, counted without torchmetrics.
    part = open_data("digits", 32, network.plan.table.preprocessing).test
    with torch.inference_mode():
        right = network(torch.from_numpy(part.images(range(len(part))))).argmax(1).numpy() == part.labels
    assert unbroken.top1 == right.sum() / len(part)
    assert unbroken.test_images == len(part)


def test_log_says_what_was_trained_on_what(unbroken):
    start, *lines = read_log(Path(unbroken.log))
    assert start["kind"] == "start"
    assert start["batch_norm_statistics"] == "whole batch of 32, one process"
    assert (start["steps"], start["steps_per_epoch"], start["seed"]) == (24, 10, 0)
    assert [line["step"] for line in lines if line["kind"] == "validation"] == [16, 24]
    assert lines[-1]["kind"] == "end"


def test_both_arms_of_an_ablation_see_the_same_weights_and_images(tiny, tmp_path):
    """Before the first update the loss is the same; with another rate it parts afterwards."""
    arms = [train(tiny(rate=rate, max_steps=3), tmp_path / str(rate)) for rate in (0.01, 0.02)]
    slow, fast = (losses(Path(arm.log)) for arm in arms)
    assert slow[0] == fast[0]
    assert slow[2] != fast[2]


def test_changes_are_stored_with_the_network(tiny, tmp_path):
    job = tiny("googlenet", changes=Changes(batch_norm=True, aux_at=("Mixed_4b",)), max_steps=2)
    trained = train(job, tmp_path)
    assert json.loads((Path(trained.checkpoint) / "network.json").read_text())["changes"]["batch_norm"] is True
    network = load_network(Path(trained.checkpoint))
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


def test_without_batch_norm_the_stored_network_has_none(tiny, tmp_path):
    job = tiny("googlenet@bn", rate=1e-4, max_steps=2, batch_norm=False)
    trained = train(job, tmp_path)
    network = load_network(Path(trained.checkpoint))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert read_log(Path(trained.log))[0]["batch_norm_statistics"] == "none: no batch normalisation"


def test_another_recipe_does_not_go_on_from_a_checkpoint(tiny, tmp_path):
    job = tiny(max_steps=2)
    train(job, tmp_path)
    other = replace(job, recipe=replace(job.recipe, rate=0.5, momentum=0.5))
    with pytest.raises(UsageError, match=r"is of another job: recipe.rate is .* there, 0.5 here; recipe.momentum"):
        train(other, tmp_path)


def test_damaged_checkpoint_is_named(tiny, tmp_path):
    (tmp_path / FILE).write_bytes(b"\x00" * 100)
    with pytest.raises(UsageError, match=rf"checkpoint .*{FILE} cannot be read .*; delete it to start"):
        train(tiny(), tmp_path)


def test_full_disk_leaves_the_old_checkpoint(unbroken, tmp_path):
    """From step 10 on no file of this process can grow past 100 kB; a checkpoint has some 3 MB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(progress):
        if progress.step == 10:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))

    try:
        with pytest.raises(UsageError, match=r"cannot be written \(File too large\); the one of step 7 is still there"):
            train(resumable(), tmp_path, fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.glob("*.new"))
    assert train(resumable(), tmp_path).digest == unbroken.digest


def test_a_loss_that_is_no_number_stops_the_run_and_says_where(tiny, tmp_path):
    """Plain GoogLeNet at a rate of 1000: step 1 is fine, soon after the weights are beyond float32."""
    job = tiny("googlenet", rate=1e3, clip=None)
    wanted = r"loss (nan|inf) in step \d+ of 12 at learning rate [\d.e+]+; the largest activation is in \w+ \("
    with pytest.raises(DivergedError, match=wanted):
        train(job, tmp_path / "raised")
    reported = train(replace(job, diverge=True), tmp_path / "reported")
    assert reported.outcome == "diverged"
    assert reported.top1 is None
    assert reported.checkpoint is None
    assert read_log(Path(reported.log))[-1]["outcome"] == "diverged"


def test_a_quick_training_has_one_thread_whatever_the_machine_has(tiny, tmp_path):
    """So its weights are those of every machine. A recipe that says nothing leaves it to the machine."""

    def threads(recipe: str) -> int:
        train(tiny(recipe=recipe, max_steps=1, machine=Machine(threads=2)), tmp_path / recipe)
        return read_log(tmp_path / recipe / "log.jsonl")[0]["threads"]

    usual = torch.get_num_threads()
    try:
        assert (threads("quick"), threads("sgd")) == (1, 2)
    finally:
        torch.set_num_threads(usual)
