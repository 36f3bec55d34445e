"""What is built of the sources: a source distribution, a wheel made from it, and the main job run from that wheel."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from inception_bench.store.cache import source_hash
from tests.conftest import ROOT, SMALL

pytestmark = pytest.mark.slow  # it builds and installs the package

FOLDERS = ("inception_bench", "suites", "tests", "docs", "scripts", "benchmarks", ".github")
FILES = (
    "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
    "constraints.txt", "tox.ini", ".gitignore", ".ci/run", "results/README.md",
)  # fmt: skip


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def build(kind: str, sources: Path, into: Path) -> Path:
    """What setuptools makes of the sources: ``kind`` is sdist or wheel."""
    program = f"from setuptools import build_meta; build_meta.build_{kind}({str(into)!r})"
    done = subprocess.run([sys.executable, "-c", program], cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, as building writes into their folder."""
    folder = tmp_path_factory.mktemp("sources")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def sdist(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked. It was made of sources in which a run of the tests and of the suites had left its files."""
    dirty = tmp_path_factory.mktemp("dirty") / "sources"
    shutil.copytree(sources, dirty)
    for left in ("suites/__pycache__/test_latency.pyc", "results/local/leaderboard.csv", ".ci/cache/weights"):
        (dirty / left).parent.mkdir(parents=True)
        (dirty / left).touch()
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(build("sdist", dirty, tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(unpacked, filter="data")
    (folder,) = unpacked.iterdir()
    return folder


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from the source distribution, which must hold all that it takes; Python's caches lie there too."""
    copy = shutil.copytree(sdist, tmp_path_factory.mktemp("copy") / "sources")
    (copy / "inception_bench" / "cli" / "__pycache__").mkdir()
    (copy / "inception_bench" / "cli" / "__pycache__" / "run.cpython-311.pyc").touch()
    return build("wheel", copy, tmp_path_factory.mktemp("wheel"))


@dataclass(frozen=True)
class Installed:
    """The wheel in a folder of its own, inside a project whose settings fit its own tests alone."""

    site: Path
    project: Path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """``inception-bench`` in an empty folder."""
        command = [str(self.site / "bin" / "inception-bench"), *words]
        environment = {**os.environ, "PYTHONPATH": str(self.site), **variables}
        empty = self.project / "empty"
        empty.mkdir(exist_ok=True)
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    project = tmp_path_factory.mktemp("project")
    (project / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\npython_files = check_*.py\n")
    for name in ("conftest.py", "__init__.py"):
        (project / name).write_text("raise RuntimeError('another project')\n")
    site = project / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True)
    return Installed(site, project)


def test_a_source_distribution_holds_the_sources_and_nothing_that_was_left_there(sources, sdist):
    made = {"PKG-INFO", "setup.cfg"}
    held = {name for name in files_of(sdist) if not name.startswith("inception_bench.egg-info/")}
    assert held - made == files_of(sources)


def test_a_wheel_holds_the_package_with_the_suites_inside_and_nothing_else(sources, wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    suites = {f"inception_bench/suites/{name}" for name in files_of(sources / "suites")}
    assert "inception_bench/suites/test_latency.py" in suites
    assert held == {f"inception_bench/{name}" for name in files_of(sources / "inception_bench")} | suites


def test_an_installed_package_has_the_hash_of_its_sources(sources, installed):
    """By it a run knows the checkout that it was installed from, and what an earlier run measured still holds."""
    assert source_hash(installed.site / "inception_bench") == source_hash(sources / "inception_bench")


def test_the_main_job_runs_in_an_empty_folder(installed, cache_root):
    """GoogLeNet on eager by the installed command, with no checkout and no other copy of the package in sight."""
    options = ("--inception-profile=smoke", *SMALL, "--inception-backends=eager", "-v")
    done = installed.run("run", "latency", *options, INCEPTION_BENCH_CACHE=str(cache_root))
    assert done.returncode == 0, done.stdout + done.stderr
    folder = installed.project / "empty" / "results" / "local"
    with (folder / "leaderboard.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["model"], row["backend"], row["outcome"]) == ("googlenet", "eager", "ok")
    assert f"rootdir: {installed.site / 'inception_bench'}" in done.stdout
    assert "warning" not in done.stdout
    assert "PASSED" in done.stdout
    assert "%]" not in done.stdout, "pytest's own count stands between the lines of the cells"
    assert not (installed.site / "inception_bench" / ".pytest_cache").exists()


def test_an_entry_point_loads_the_plug_in_no_second_time(installed):
    done = installed.run("run", "--collect-only", "-q", "--inception-profile=smoke", "--trace-config")
    assert done.stdout.count("PLUGIN registered: <module 'inception_bench.plugin'") == 1, done.stdout + done.stderr
    tests = [line for line in done.stdout.splitlines() if line.startswith("suites/test_")]
    assert len(tests) == len(set(tests))
    assert {line.split("::")[0] for line in tests} >= {"suites/test_latency.py", "suites/test_claims.py"}


def test_help_names_the_suites(installed):
    done = installed.run("run", "--help")
    assert "claims, complexity, latency, modules, regressions, training" in done.stdout
    assert "--inception-profile" in done.stdout
