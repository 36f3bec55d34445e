"""``inception-bench run`` from the sources: the session of ``pytest suites/``, whatever lies in the present folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import inception_bench
from inception_bench.cli.run import collected, help_text, suites_folder
from inception_bench.errors import UnknownNameError
from inception_bench.plugin.session import OPTIONS
from tests.conftest import ROOT

SUITES = ROOT / "suites"
PLAN = ("--collect-only", "-q", "--inception-profile=smoke")
NOTHING_INSTALLED = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def start(folder: Path, module: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return start(folder, "inception_bench", "run", *words, **variables)


def names(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of someone else's tests, with settings that fit these alone."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --nonsense\npython_files = check_*.py\ntestpaths = suites\n"
    )
    (tmp_path / "conftest.py").write_text("raise RuntimeError('another project')\n")
    (tmp_path / "latency").mkdir()
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_latency.py").write_text("def test_other():\n    raise RuntimeError\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], [f"{SUITES}"]),
        (["suites"], [f"{SUITES}"]),
        (["suites/"], [f"{SUITES}"]),
        (["latency", "claims"], [f"{SUITES}/test_latency.py", f"{SUITES}/test_claims.py"]),
        (["suites/test_latency.py"], [f"{SUITES}/test_latency.py"]),
        (["training::test_step[a::b]"], [f"{SUITES}/test_training.py::test_step[a::b]"]),
        (["pytest.ini", "./latency"], ["pytest.ini", "./latency"]),
    ],
)
def test_words_name_suites_first_and_then_files(project, monkeypatch, words, wanted):
    monkeypatch.chdir(project)
    assert collected(words, SUITES) == wanted


def test_the_suites_are_those_of_the_package_that_runs(project, monkeypatch):
    """Beside the package in the sources, inside it once it is installed: never those of the present folder."""
    monkeypatch.chdir(project)
    package = Path(inception_bench.__file__).parent
    installed = package.parent != ROOT
    assert suites_folder() == (package / "suites" if installed else SUITES)
    theirs, ours = (
        {path.name: path.read_bytes() for path in folder.glob("*.py")} for folder in (suites_folder(), SUITES)
    )
    assert theirs == ours


@pytest.mark.parametrize("word", ["latancy", "suites/test_latancy.py", "latancy::test_latency"])
def test_an_unknown_suite_is_refused_with_the_nearest(tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownNameError, match=r"unknown suite '.*latancy.*did you mean 'latency'\? \(known: claims, "):
        collected([word], SUITES)


def test_it_is_the_session_of_pytest_on_the_suites_in_any_folder(project):
    """The same tests under the same names, by which results of pytest-benchmark are compared."""
    plugins = ("-p", "pytest_benchmark.plugin", "-p", "inception_bench.plugin", "-p", "no:cacheprovider")
    wanted = names(start(ROOT, "pytest", *plugins, "suites/", "--benchmark-only", *PLAN, **NOTHING_INSTALLED))
    assert {name.split("::")[0] for name in wanted} >= {"suites/test_latency.py", "suites/test_training.py"}
    for variables in ({}, NOTHING_INSTALLED):
        done = run(project, *PLAN, **variables)
        assert names(done) == wanted, done.stdout + done.stderr
        assert done.returncode == 0


@pytest.mark.parametrize("variables", [{}, NOTHING_INSTALLED])
def test_the_plug_in_is_loaded_once(tmp_path, variables):
    done = run(tmp_path, "complexity", *PLAN, "--trace-config", **variables)
    registered = [line for line in done.stdout.splitlines() if "PLUGIN registered: <module" in line]
    for module in ("inception_bench.plugin", "pytest_benchmark.plugin"):
        assert len([line for line in registered if f"'{module}'" in line]) == 1, done.stdout + done.stderr


def test_values_of_options_are_no_suites(tmp_path):
    """``latency`` behind ``-k`` is not a suite that is named; ``test_latency`` has it in its name."""
    done = run(tmp_path, *PLAN, "-k", "latency", "complexity", "suites/test_latency.py")
    assert {name.split("[")[0] for name in names(done)} == {"suites/test_latency.py::test_latency"}
    assert "(2 deselected)" in done.stdout


def test_what_is_named_on_the_command_line_is_taken(tmp_path):
    (tmp_path / "own.ini").write_text("[pytest]\naddopts = --collect-only\n")
    done = run(tmp_path, "complexity", "-q", "--inception-profile=smoke", "-c", "own.ini")
    assert len(names(done)) == 2, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["latancy"], 4, "ERROR: unknown suite 'latancy'; did you mean 'latency'? (known: claims, complexity, "),
        (["--nonsense=3"], 4, "unrecognized arguments: --nonsense=3"),
        (["latency", "--inception-models=googlenett"], 4, "did you mean 'googlenet'"),
        (["latency", *PLAN, "-k", "nothing"], 5, "no tests collected"),
        (["latency", *PLAN, "--benchmark-disable"], 4, "Can't have both --benchmark-only and --benchmark-disable"),
    ],
)
def test_exit_codes_are_those_of_pytest(tmp_path, words, code, said):
    done = run(tmp_path, *words)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_says_which_suites_and_options_there_are(project, flag):
    done = run(project, "latency", flag)
    assert done.returncode == 0, done.stderr
    assert "inception-bench run [SUITE]... [OPTION]..." in done.stdout
    assert all(f"  --inception-{name}" in done.stdout for name in OPTIONS)
    listed = done.stdout.split("Run the suites")[1]
    assert all(path.stem.removeprefix("test_") in listed for path in SUITES.glob("test_*.py"))
    assert "--benchmark-json" not in done.stdout


def test_help_is_read_from_pytest_and_nothing_is_printed_on_the_way(capsys):
    assert "inception_bench (lists are comma-separated):" in help_text(SUITES)
    assert capsys.readouterr().out == ""
