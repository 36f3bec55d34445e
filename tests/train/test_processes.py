"""Two gloo processes under torchrun against one; one of them killed, then resumed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inception_bench.train.job import Job, Machine
from inception_bench.train.log import losses, read_log
from inception_bench.train.loop import train
from inception_bench.train.recipes import find_recipe
from tests.conftest import ROOT

STEPS = 50
# As ``torchrun`` starts it. With a step above 0 the second process kills itself after it.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from inception_bench.train.loop import train
from tests.train.test_processes import plain

def report(progress):
    if os.environ["RANK"] == "1" and progress.step == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

train(plain(), Path(sys.argv[1]), report)
if sys.argv[2] == "0":
    train(plain("googlenet@bn", max_steps=2), Path(sys.argv[1]) / "norms")
"""


def plain(model: str = "googlenet", **changed) -> Job:
    """GoogLeNet as its paper has it, without batch norm; dropout off, as its draws are each process's own."""
    recipe = find_recipe("quick", model).without({"dropout", "averaging"})
    whole = {"width_mult": 0.125, "input_size": 32, "max_steps": STEPS, "checkpoint_steps": 20, "evaluations": 1}
    return Job(model, "digits", recipe, **{**whole, "machine": Machine(threads=1), **changed})


def on_two(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    script = folder / "program.py"
    script.write_text(program)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*launch, str(folder), *arguments], cwd=ROOT, check=False, capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    done = on_two(PROGRAM, folder, "0")
    assert done.returncode == 0, done.stderr
    return folder


def test_two_processes_give_the_losses_of_one(two_processes, tmp_path):
    alone = losses(Path(train(plain(), tmp_path).log))
    together = losses(two_processes / "log.jsonl")
    assert len(alone) == len(together) == STEPS
    assert max(abs(one - two) for one, two in zip(alone, together, strict=True)) < 1e-5
    assert read_log(two_processes / "log.jsonl")[0]["processes"] == 2


def test_one_of_two_is_killed_and_the_run_resumed(two_processes, tmp_path):
    done = on_two(PROGRAM, tmp_path, "33")
    assert done.returncode != 0
    steps = [line["step"] for line in read_log(tmp_path / "log.jsonl")]
    assert 33 <= max(steps) < STEPS
    assert on_two(PROGRAM, tmp_path, "-1").returncode == 0
    assert losses(tmp_path / "log.jsonl") == losses(two_processes / "log.jsonl")


def test_log_says_that_batch_norm_is_per_process(two_processes):
    start = read_log(two_processes / "norms" / "log.jsonl")[0]
    wanted = "per process: each of 2 over its own 16 images; running statistics of process 0"
    assert start["batch_norm_statistics"] == wanted
