"""In what arithmetic a training runs: set from the precision, in force until its last evaluation, and recorded."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from inception_bench.errors import UsageError
from inception_bench.measure import selection, training
from inception_bench.measure.selection import Request, select
from inception_bench.measure.timed_step import TimedStep
from inception_bench.measure.training import StepTiming, Training, job_of, step_job
from inception_bench.measure.training_cases import step_cases
from inception_bench.models.public import find_table
from inception_bench.processes.process import CallFailed
from inception_bench.records.record import Record
from inception_bench.report.training import arithmetic_sentence, training_section
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec, trained_weights
from inception_bench.spec.profile import PROFILES
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import ArtifactCache
from inception_bench.train import loop, machine
from inception_bench.train.job import Machine
from inception_bench.train.log import read_log
from inception_bench.train.machine import allow_tf32, effective, make_fabric
from inception_bench.train.trained import Trained
from tests.records.made import example
from tests.train.test_page import RUN

CASE = Case(
    NetworkSpec("googlenet", "bn", 32, 0.125, 10, trained_weights("quick", 0), "digits"),
    Runtime("eager", "cpu", "fp32", 4, 1),
)


def flags() -> tuple[bool, bool]:
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.fixture(autouse=True)
def as_they_were():
    before = flags()
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@pytest.fixture
def card(monkeypatch):
    """A GPU as far as torch tells of one, and a Fabric that only notes what it is given."""
    capability = [(8, 0)]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability[0])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "a card")
    given: dict = {}
    monkeypatch.setattr(machine, "Fabric", lambda **words: SimpleNamespace(launch=lambda: given.update(words)))
    return SimpleNamespace(capability=capability, given=given)


@pytest.mark.parametrize(
    ("precision", "tf32", "fabrics"),
    [("32-true", False, "32-true"), ("tf32", True, "32-true"), ("bf16-mixed", False, "bf16-mixed")],
)
@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_only_tf32_rounds_to_tf32_on_a_gpu(card, device, precision, tf32, fabrics):
    allow_tf32(not tf32)
    make_fabric(Machine(device, precision))
    assert flags() == (tf32, tf32)
    assert card.given == {"devices": 1, "accelerator": "cuda", "precision": fabrics}


def test_what_a_device_does_not_have_is_refused(card, monkeypatch):
    with pytest.raises(UsageError, match=r"precision tf32 is of NVIDIA's GPUs; give 32-true, or device cuda"):
        make_fabric(Machine("cpu", "tf32"))
    card.capability[0] = (7, 5)
    for precision, lacking in (("tf32", "tf32"), ("bf16-mixed", "bf16")):
        with pytest.raises(UsageError, match=rf"a card \(compute capability 7.5\) has no {lacking}; give 32-true"):
            make_fabric(Machine("cuda", precision))
    make_fabric(Machine("cuda", "32-true"))


@pytest.mark.parametrize(
    ("fabrics", "tf32", "told"),
    [("32-true", False, "32-true"), ("32-true", True, "tf32"), ("bf16-mixed", False, "bf16-mixed")],
)
def test_what_is_in_force_is_read_and_not_remembered(card, fabrics, tf32, told):
    allow_tf32(tf32)
    fabric = SimpleNamespace(
        device=torch.device("cuda", 0), strategy=SimpleNamespace(precision=SimpleNamespace(precision=fabrics))
    )
    assert effective(fabric) == {"precision": told, "tf32": tf32, "gpu": "a card"}


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_training_and_its_evaluations_run_in_the_jobs_precision(tiny, tmp_path, monkeypatch, precision):
    """One look at the validation images in the middle, one at the end, one at the test images."""
    seen = []

    def evaluate(*given):
        seen.append((flags(), given[3].strategy.precision.precision))
        return own(*given)

    own = loop.evaluate
    monkeypatch.setattr(loop, "evaluate", evaluate)
    allow_tf32(True)  # what torch itself begins with, of convolutions
    job = tiny(max_steps=2, evaluations=2, machine=Machine("auto", precision, threads=1))
    trained = loop.train(job, tmp_path)
    assert seen == [((False, False), precision)] * 3
    assert (trained.precision, trained.tf32, trained.gpu) == (precision, None, None)
    start = read_log(tmp_path / "log.jsonl")[0]
    assert (start["device"], start["precision"], start["tf32"], start["gpu"]) == ("cpu", precision, None, None)


def test_a_training_does_not_go_on_in_another_precision(tiny, tmp_path):
    job = tiny(max_steps=2)
    loop.train(job, tmp_path)
    other = replace(job, machine=replace(job.machine, precision="bf16-mixed"))
    wanted = 'is of another job: machine.precision is "32-true" there, "bf16-mixed" here'
    with pytest.raises(UsageError, match=wanted):
        loop.train(other, tmp_path)


def test_steps_have_the_precisions_of_the_run_that_they_can_have():
    asked = ("fp32", "tf32", "bf16", "fp16")
    tables, quick = [find_table(CASE.network.address)], PROFILES["quick"]
    on_gpu = step_cases([CASE.with_runtime(device="cuda")], tables, quick, asked)
    assert [case.runtime.precision for case in on_gpu] == ["fp32", "tf32", "bf16"]
    assert len({case.training_id for case in on_gpu}) == 3
    assert step_cases([CASE], tables, quick, asked) == (CASE,)
    assert step_cases([CASE.with_runtime(device="cuda")], tables, quick, ("fp16",)) == on_gpu[:1]


def test_a_selection_asks_for_steps_in_its_precisions(monkeypatch):
    monkeypatch.setattr(selection, "driver_problem", lambda: None)
    found = select(Request(models="googlenet", device="cuda", precisions="tf32,bf16", data="digits"))
    assert [case.runtime.precision for case in found.steps] == ["tf32", "bf16"]
    assert {case.runtime.precision for case in found.trainings} == {"fp32"}


def test_a_step_is_in_its_cases_precision_and_weights_are_trained_in_full():
    jobs = {name: CASE.with_runtime(device="cuda", precision=name) for name in ("fp32", "tf32", "bf16")}
    assert [step_job(case).machine.precision for case in jobs.values()] == ["32-true", "tf32", "bf16-mixed"]
    assert {job_of(case).machine.precision for case in jobs.values()} == {"32-true"}


@pytest.fixture
def timing(tmp_path, request):
    case = CASE.with_runtime(precision=request.param)
    made = StepTiming(case, Training(ArtifactCache(tmp_path), 120.0), 120.0)
    yield made
    made.close()


@pytest.mark.parametrize(("timing", "precision"), [("fp32", "32-true"), ("bf16", "bf16-mixed")], indirect=["timing"])
def test_a_timed_step_tells_its_arithmetic(timing, precision):
    timing.begin()
    assert timing.round() > 0
    timing.end()
    told = timing.timed()
    assert (told.precision, told.tf32, told.gpu) == (precision, None, None)


@pytest.mark.parametrize("timing", ["fp32"], indirect=True)
def test_a_step_in_another_precision_than_asked_for_is_mislabelled(timing, monkeypatch):
    monkeypatch.setitem(training.PRECISION_OF_STEP, "fp32", "tf32")
    with pytest.raises(CallFailed, match="asked for a step in tf32, got one in 32-true") as raised:
        timing.begin()
    assert raised.value.outcome == "mislabelled"


def test_the_page_says_in_what_arithmetic():
    gpu = example(Trained, precision="32-true", tf32=False, gpu="NVIDIA H100")
    assert arithmetic_sentence(gpu) == "Trained on NVIDIA H100 in 32-true, TF32 off."
    assert arithmetic_sentence(replace(gpu, precision="tf32", tf32=True)).endswith("in tf32, TF32 on.")
    cpu = replace(gpu, tf32=None, gpu=None)
    assert arithmetic_sentence(cpu) == "Trained on a CPU in 32-true."
    assert arithmetic_sentence(replace(cpu, precision="")) == ""
    timed = TimedStep([0.5], [0], peak_was_reset=True, aux=False, peak_rss_bytes=10**8)
    step = Record("step", RUN, CASE.with_runtime(device="cuda", precision="tf32"), 1, 1, timed)
    assert "| googlenet@bn | quick | tf32 | 4 | w0.125-32px | 500 ms | 8 |" in training_section([step])
