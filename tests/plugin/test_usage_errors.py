"""What cannot be done is refused in one line, before anything is measured, with pytest's exit code 4."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inception_bench.cli import app, words
from inception_bench.errors import UsageError, told
from inception_bench.measure.selection import Request, select
from inception_bench.models.public import NINE
from inception_bench.plugin.session import named
from inception_bench.plugin.timing import parse_limits
from inception_bench.report.files import prepare_folder
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import PROFILES, Limits
from inception_bench.spec.runtime import Runtime
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"models": "vgg16", "width_mults": "0.5"}, "vgg16 is a baseline: it takes 224 pixels and width_mult 1 only"),
        ({"models": "inception_v3@tf"}, "unknown definition of inception_v3 'tf'"),
        ({"models": "inception_v33"}, "did you mean 'inception_v3'"),
        ({"backends": "onnxruntme"}, "did you mean 'onnxruntime'? (known: eager"),
        ({"profile": "smok"}, "did you mean 'smoke'? (known: smoke, quick, standard, full, gpu)"),
        ({"device": "cpuu"}, "did you mean 'cpu'"),
        ({"precisions": "fp31"}, "did you mean 'fp32'"),
        ({"require": "torchscrypt"}, "did you mean 'torchscript'"),
        ({"batch_sizes": "1,0"}, "--inception-batch-sizes=1,0 is not possible; give images, at least 1"),
        ({"batch_sizes": "two"}, "--inception-batch-sizes=two"),
        ({"threads": "0"}, "--inception-threads=0 is not possible; give one number of threads, at least 1"),
        ({"threads": "1,2"}, "--inception-threads=1,2 is not possible; give one number"),
        ({"width_mults": "-1"}, "give a share above 0"),
        ({"width_mults": "nan"}, "give a share above 0"),
        ({"models": ","}, "--inception-models is empty"),
        ({"data": "digitz"}, "unknown data set 'digitz'; did you mean 'digits'"),
        ({"weights": "w.safetensors"}, "fits one network, not 9; name it with --inception-models"),
        ({"weights": "w.safetensors", "models": "googlenet"}, "--inception-weights=w.safetensors is no file"),
        (
            {"models": "inception_v3", "input_sizes": "74"},
            "inception_v3: input size 74 is too small; the least is 75 pixels",
        ),
        ({"models": "googlenet", "input_sizes": "31"}, "googlenet: input size 31 is too small; the least is 32 pixels"),
    ],
)
def test_request_is_refused(asked, wanted):
    with pytest.raises(UsageError) as refused:
        select(Request(**asked))
    words = told(refused.value, named)
    assert wanted in words
    assert "\n" not in words


def test_each_front_end_names_its_own_options():
    """The core knows fields; a message that named another front end's option would send a user looking for it."""
    with pytest.raises(UsageError) as refused:
        select(Request(batch_sizes="1,0"))
    rest = "=1,0 is not possible; give images, at least 1"
    assert str(refused.value) == "batch_sizes" + rest
    assert told(refused.value, named) == "--inception-batch-sizes" + rest
    assert told(refused.value, words.named) == "--batch-sizes" + rest
    assert told(UsageError("no such thing"), named) == "no such thing"


def test_a_command_that_lacks_an_option_does_not_name_it():
    """``doctor`` calls its option --python, and ``board`` writes into its argument."""
    done = CliRunner().invoke(app, ["doctor", "--python", "onnxruntime"])
    with pytest.raises(UsageError) as refused:
        prepare_folder(Path("/proc/nowhere"))
    for error, wanted in (
        (done.exception, "--python=onnxruntime: write BACKEND=PYTHON"),
        (refused.value, "give another with the argument DIR"),
    ):
        assert isinstance(error, UsageError)
        message = told(error, words.named)
        assert wanted in message
        assert "--inception-" not in message


def test_explicit_lists_override_the_profile():
    asked = Request(profile="smoke", models="googlenet", batch_sizes="2,4", backends="onnxruntime", threads="1")
    first, second = select(asked).cases
    assert first == Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("onnxruntime", "cpu", "fp32", 2, 1))
    assert second.runtime.batch_size == 4


def test_quick_trains_the_nine_at_the_recipe_s_scale():
    selection = select(Request())
    assert [case.network.model for case in selection.trainings] == list(NINE)
    assert {
        (case.network.width_mult, case.network.input_size, case.network.data, case.network.trained_by)
        for case in selection.trainings
    } == {(0.25, 80, "digits", ("quick", 0))}
    assert len(selection.trained) == 9 * 3
    assert selection.steps == selection.trainings


def test_standard_times_steps_at_the_papers_scale_and_full_has_three_seeds():
    standard = select(Request(profile="standard", backends="eager"))
    assert {case.network.data for case in standard.trainings} == {"fashion-mnist"}
    assert {(case.network.width_mult, case.network.input_size) for case in standard.steps} == {(1.0, 224), (1.0, 299)}
    full = select(Request(profile="full", models="inception_v3", backends="eager"))
    assert [case.network.trained_by[1] for case in full.trainings] == [0, 1, 2]
    assert len(full.steps) == 1


def test_given_weights_train_nothing(tmp_path):
    given = tmp_path / "w.safetensors"
    given.touch()
    selection = select(Request(models="googlenet", weights=str(given), backends="eager"))
    assert (selection.trainings, selection.trained, selection.steps) == ((), (), ())
    assert [(case.network.weights, case.network.data) for case in selection.cases] == [(str(given), "")]


def test_smoke_is_two_models_on_three_runtimes():
    cases = select(Request(profile="smoke")).cases
    assert [(case.network.model, case.runtime.backend) for case in cases] == [
        (model, backend)
        for model in ("googlenet", "inception_v3")
        for backend in ("eager", "torchscript", "onnxruntime")
    ]


def test_what_no_limit_is_given_for_is_as_the_profile_has_it():
    limits = parse_limits("time=7", PROFILES["gpu"].limits)
    assert (limits.time, limits.load, limits.build) == (7.0, 600.0, 900.0)


def test_gpu_profile_is_for_cuda_in_three_precisions(monkeypatch):
    """Batch 1 and 128, fp32 without TF32, fp16 and bf16; --inception-device overrides its device."""
    with pytest.raises(UsageError, match="cuda: no CUDA dri"):
        select(Request(profile="gpu", models="googlenet"))
    found = select(Request(profile="gpu", models="googlenet", backends="eager", device="cpu")).cases
    assert [(case.runtime.batch_size, case.runtime.precision) for case in found] == [
        (batch, precision) for batch in (1, 128) for precision in ("fp32", "fp16", "bf16")
    ]
    assert {case.runtime.device for case in found} == {"cpu"}


@pytest.mark.parametrize("text", ["tim=5", "time=0", "time=soon", "time"])
def test_limits_are_refused(text):
    with pytest.raises(UsageError, match="STAGE=SECONDS"):
        parse_limits(text, Limits())


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--inception-models=inception_v33"], "ERROR: unknown model 'inception_v33'"),
        (["--inception-results=/proc/nowhere"], "ERROR: results folder /proc/nowhere cannot be written"),
        (["-o", "inception_limits=time=0"], "ERROR: inception_limits: 'time=0'"),
        (["-o", "inception_l2=tepid"], "ERROR: inception_l2: 'tepid' is not possible; write warm or cold"),
        (["-p", "xdist", "-n", "2", "--inception-models=googlenet"], "ERROR: -n runs cells at the same time"),
    ],
)
def test_pytest_exits_with_4_and_one_line(launcher, options, wanted, tmp_path):
    command = launcher.command(tmp_path / "results", "-q", *options)
    done = subprocess.run(command, cwd=ROOT, env=launcher.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert wanted in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "results" / "records.jsonl").exists()


def test_an_ordinary_session_is_left_alone(launcher, tmp_path):
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert True\n")
    command = launcher.command(tmp_path / "results", suite=str(tmp_path / "test_other.py"))
    command.remove("--benchmark-only")
    done = subprocess.run(
        command, cwd=tmp_path, env=launcher.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert not (tmp_path / "results").exists()


def test_a_test_of_ones_own_keeps_its_fixtures(launcher, tmp_path):
    """The plug-in is loaded in every project of its environment, where its names may mean something else."""
    (tmp_path / "test_own.py").write_text(
        "import pytest\n"
        "@pytest.fixture(params=[1, 2])\n"
        "def cell(request):\n"
        "    return request.param\n"
        "@pytest.mark.parametrize('network, claim', [('a', 'b')])\n"
        "def test_own(cell, network, claim):\n"
        "    assert (cell in (1, 2), network, claim) == (True, 'a', 'b')\n"
        "def test_other(regression):\n"
        "    assert regression == 3\n"
        "@pytest.fixture\n"
        "def regression():\n"
        "    return 3\n"
    )
    command = [word for word in launcher.command(tmp_path / "none", suite=str(tmp_path)) if word != "--benchmark-only"]
    done = subprocess.run(command, cwd=ROOT, env=launcher.environment(), capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
