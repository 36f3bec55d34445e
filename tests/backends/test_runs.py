"""Whole runs as a user starts them: a package of one's own, resuming, another interpreter, options, doctor, export."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from inception_bench.measure.doctor import Checkup
from inception_bench.records.journal import Journal
from inception_bench.records.kinds import CELL
from inception_bench.records.resume import Earlier, taken_over
from inception_bench.report.doctor import doctor_text
from tests.backends.conftest import ENGINES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def start(cache: Path, *words: str, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A fresh process from the source tree, with ``path`` before it."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (*path, ENGINES, ROOT))),
        "INCEPTION_BENCH_CACHE": str(cache),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def suite(cache: Path, folder: Path, *options: str, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    plugins = ("-p", "pytest_benchmark.plugin", "-p", "inception_bench.plugin", "-p", "no:cacheprovider")
    network = ("--inception-models=small", "--inception-threads=1", f"--inception-results={folder}")
    words = ("pytest", *plugins, "suites/test_latency.py", "--benchmark-only", *network, *options)
    return start(cache, *words, path=path)


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "leaderboard.csv").open(newline="") as stream:
        return {row["backend"]: row for row in csv.DictReader(stream)}


@pytest.mark.slow
def test_a_package_of_ones_own_is_on_the_board(cache: Path, tmp_path: Path):
    place = tmp_path / "site"
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(place)]
    installed = start(cache, *pip, str(ROOT / "tests" / "example_backend"))
    assert installed.returncode == 0, installed.stderr
    done = suite(cache, tmp_path / "results", "--inception-backends=eager,scripted", path=(place,))
    assert done.returncode == 0, done.stdout + done.stderr
    row = rows(tmp_path / "results")["scripted"]
    assert row["outcome"] == "ok"
    assert float(row["speedup_vs_eager"]) > 0
    unknown = suite(cache, tmp_path / "results", "--inception-backends=scripted")
    assert unknown.returncode == 4  # without the package nobody knows the name
    assert "unknown backend 'scripted'; did you mean 'torchscript'" in unknown.stderr


@pytest.fixture(scope="module")
def measured(cache: Path) -> Path:
    """The results of a run that measured one cell."""
    folder = cache / "measured"
    done = suite(cache, folder, "--inception-backends=eager")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_resuming_takes_over_what_still_holds(cache: Path, measured: Path, tmp_path: Path):
    folder = Path(shutil.copytree(measured, tmp_path / "results"))
    first = rows(folder)["eager"]
    assert first["resumed_from"] == ""
    again = suite(cache, folder, "--inception-backends=eager,onnxruntime", "--inception-resume")
    assert again.returncode == 0, again.stdout + again.stderr
    second = rows(folder)
    assert second["eager"]["resumed_from"] == first["run_id"] != second["eager"]["run_id"]
    assert second["eager"]["latency_s_p50"] == first["latency_s_p50"]
    assert (second["onnxruntime"]["outcome"], second["onnxruntime"]["resumed_from"]) == ("ok", "")
    taken = Journal(folder / "records.jsonl").read()[0][1]
    third = taken_over(taken, replace(taken.run, run_id="third"))
    assert third.resumed_from == first["run_id"]  # who measured it, however often it is taken over


@pytest.mark.parametrize("name", ["source_hash", "cpu", "packages"])
def test_another_code_machine_or_version_is_measured_anew(measured: Path, name: str):
    records, _ = Journal(measured / "records.jsonl").read()
    environment = records[0].run.environment
    assert len(Earlier.among(records, environment, lambda record: 64).cells) == 1
    assert Earlier.among(records, {**environment, name: "another"}, lambda record: 64).cells == {}
    more = len(CELL.among(records)[0].body.timed) + 1
    assert Earlier.among(records, environment, lambda record: more).cells == {}  # more rounds are asked than it has
    failed = [replace(record, body=replace(record.body, outcome="failed")) for record in CELL.among(records)]
    assert Earlier.among(failed, environment, lambda record: 64).cells == {}


@pytest.mark.slow
def test_a_worker_with_another_interpreter(cache: Path, tmp_path: Path):
    log, python = tmp_path / "log", tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    options = ("--inception-backends=onnxruntime", f"--inception-python=onnxruntime={python}")
    done = suite(cache, tmp_path / "results", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(tmp_path / "results")["onnxruntime"]["outcome"] == "ok"
    (record,) = CELL.among(Journal(tmp_path / "results" / "records.jsonl").read()[0])
    asked, *timed = log.read_text().splitlines()  # and not the builder, nor the reference
    assert all("run_module('inception_bench.worker'" in started for started in (asked, *timed))
    assert len(timed) == len(record.body.pairs) >= 3


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--inception-python=onnxruntime", "write BACKEND=PYTHON"),
        ("--inception-python=onnxruntime=/no/python", "'/no/python' is no program that can be run"),
        ("--inception-python=onnxrntime=python3", "did you mean 'onnxruntime'"),
        ("--inception-backends=compile[mood=x]", "unknown option of compile 'mood'; did you mean 'mode'"),
        ("--inception-backends=compile[mode=fast]", "unknown value of compile's mode 'fast'"),
        ("--inception-backends=compile[mode=default", "has no closing bracket"),
    ],
)
def test_a_wrong_option_is_one_line(cache: Path, tmp_path: Path, option: str, words: str):
    done = suite(cache, tmp_path, option)
    assert done.returncode == 4
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    assert words in line


def test_cuda_is_refused_where_there_is_none(cache: Path, tmp_path: Path):
    from inception_bench.machine.cuda import driver_problem

    problem = driver_problem()
    done = suite(cache, tmp_path, "--inception-device=cuda", "--inception-backends=eager")
    if problem is None:
        assert done.returncode in (0, 1)
    else:
        assert done.returncode == 4
        assert f"--inception-device=cuda: {problem}; no cell could run" in done.stderr


@pytest.mark.slow
def test_doctor_sees_every_runtime_and_outlives_one_that_crashes(cache: Path):
    done = start(cache, "inception_bench", "doctor", "--json")
    assert done.returncode == 0, done.stderr
    found = {entry["backend"]: entry for entry in json.loads(done.stdout)}
    assert found["eager"]["ready"]
    assert found["eager"]["refusals"]["cpu"] == {"fp32": "", "bf16": "", "fp16": ""}
    assert found["eager"]["versions"]["torch"][0].isdigit()
    assert found["compile"]["options"]["mode"][0] == "default"
    crashed = found["crashes_at_import"]
    assert not crashed["ready"]
    assert "killed by SIGSEGV" in crashed["reason"]
    for entry in found.values():
        assert entry["ready"] == (not entry["reason"])
        if not entry["ready"] and entry is not crashed:
            assert entry["command"]
    text = doctor_text([Checkup(**entry) for entry in found.values()])
    assert "crashes_at_import: the process was killed by SIGSEGV" in text


def test_doctor_imports_no_engine_itself(cache: Path):
    program = (
        "import sys; from inception_bench.measure.doctor import examine; list(examine(['eager', 'onnxruntime']));"
        "print([name for name in ('torch', 'onnxruntime', 'openvino') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "options"),
    [
        ("onnx", ("--precision", "bf16", "--option", "batch=dynamic")),
        ("onnx", ("--option", "opset=17")),
        ("torchscript", ()),
        ("aot_inductor", ()),
        ("openvino", ("--batch-size", "2")),
        ("tensorrt_rtx", ("--precision", "fp16", "--option", "target=sm89")),
    ],
)
def test_a_network_becomes_a_file(cache: Path, tmp_path: Path, to: str, options: tuple[str, ...]):
    output = tmp_path / "network"
    done = start(cache, "inception_bench", "export", "small", "--to", to, "-o", str(output), *options)
    assert done.returncode == 0, done.stderr
    assert output.stat().st_size > 10_000
    assert f"written: {output}" in done.stdout
    if to == "onnx":
        import onnx

        opset = next(entry.version for entry in onnx.load(str(output)).opset_import if not entry.domain)
        assert opset == (22 if "bf16" in options else 17)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--to", "onxx"), "unknown format 'onxx'; did you mean 'onnx'"),
        (("--to", "onnx", "--input-size", "8"), "small: input size 8 is too small; the least is 16 pixels"),
        (("--to", "onnx", "--precision", "fp16", "--option", "opset=17"), "a graph of operator set 17 is in fp32"),
        (("--to", "torchscript", "--precision", "tf32"), "torchscript has no tf32 on cpu"),
        (("--to", "tensorrt_rtx", "--option", "target=sm99"), "unknown value of tensorrt_rtx's target 'sm99'"),
    ],
)
def test_what_cannot_be_exported_is_one_line(cache: Path, tmp_path: Path, words: tuple[str, ...], complaint: str):
    done = start(cache, "inception_bench", "export", "small", "-o", str(tmp_path / "file"), *words)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
