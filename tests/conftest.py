"""Real runs of the suites, as a user starts them: a fresh pytest process on a small network."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# GoogLeNet narrow and small: the same tables and code paths in a hundredth of the time. One thread
# an operation: on a busy machine, threads that wait for each other would take most of the time.
SMALL = (
    "--inception-models=googlenet",
    "--inception-width-mults=0.125",
    "--inception-input-sizes=32",
    "--inception-threads=1",
)
FAULTY = ROOT / "tests" / "engines"
# A test that asks for one of these, itself or through another fixture, is slow: it waits for suites, a training or a
# probe, or for engines that are built.
SLOW_FIXTURES = frozenset({
    "launcher", "repository", "workshop", "unbroken", "two_processes", "training", "timing", "dry", "measured", "site",
    "written",
})  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class BenchRun:
    """A finished pytest process and the results folder that it wrote to."""

    code: int
    output: str
    folder: Path

    def rows(self) -> list[dict[str, str]]:
        with (self.folder / "leaderboard.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    def row(self, backend: str) -> dict[str, str]:
        """The runtime's only row."""
        (found,) = [row for row in self.rows() if row["backend"] == backend]
        return found

    def records(self) -> list[dict]:
        """All but what the machine gave between them."""
        return [record for record in self.lines() if record["kind"] not in ("ceilings", "no_ceilings")]

    def lines(self) -> list[dict]:
        """Every record, in the order in which they were written."""
        return [json.loads(line) for line in (self.folder / "records.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@dataclass(frozen=True)
class Launcher:
    """Starts pytest on the suites: as an installed plug-in where there is one, else from the source tree."""

    cache: Path
    installed: bool

    def command(self, folder: Path, *options: str, suite: str = "suites/test_latency.py") -> list[str]:
        # "python -m pytest" would put the source tree first on the path, the script does not.
        pytest_ = [str(Path(sys.executable).with_name("pytest"))]
        source = [sys.executable, "-m", "pytest", "-p", "pytest_benchmark.plugin", "-p", "inception_bench.plugin"]
        own = ["-p", "no:cacheprovider", "--benchmark-only", f"--inception-results={folder}", *options]
        return [*(pytest_ if self.installed else source), *suite.split(), *own]

    def environment(self) -> dict[str, str]:
        ways = {"INCEPTION_BENCH_CACHE": str(self.cache)}
        if self.installed:
            return {**os.environ, "PYTHONPATH": str(FAULTY), **ways}
        # No entry point is read: only what -p names is loaded, as where nothing is installed.
        path = os.pathsep.join([str(ROOT), str(FAULTY)])
        return {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **ways}

    def start(self, folder: Path, *options: str, stdout: int = subprocess.PIPE, **rest) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(folder, *options, **rest),
            cwd=ROOT,
            env=self.environment(),
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            # A terminal's pytest hears Ctrl-C; a test runner started in the background would not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def run(self, folder: Path, *options: str, **rest) -> BenchRun:
        process = self.start(folder, *options, **rest)
        output, _ = process.communicate()
        return BenchRun(process.returncode, output, folder)


def is_installed() -> bool:
    return any(point.value == "inception_bench.plugin" for point in entry_points(group="pytest11"))


@pytest.fixture(scope="session")
def launcher(cache_root: Path) -> Launcher:
    return Launcher(cache_root, is_installed())


@pytest.fixture(scope="session")
def small_run(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> BenchRun:
    """GoogLeNet on the three portable runtimes, with pytest-benchmark's JSON beside the results."""
    folder = tmp_path_factory.mktemp("small")
    portable = "--inception-backends=eager,torchscript,onnxruntime"
    suites = "suites/test_complexity.py suites/test_latency.py"
    return launcher.run(folder, *SMALL, portable, f"--benchmark-json={folder / 'benchmark.json'}", suite=suites)


@pytest.fixture(scope="session")
def trained_run(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> BenchRun:
    """GoogLeNet with batch norm, trained on the digits in seconds, on the portable runtimes and a faulty one."""
    names = "eager,torchscript,onnxruntime,tires"
    options = (*SMALL, "--inception-models=googlenet@bn", f"--inception-backends={names}")
    return launcher.run(tmp_path_factory.mktemp("trained"), *options, suite="suites/test_training.py")


@pytest.fixture(scope="session")
def faulty_run(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> BenchRun:
    """One healthy runtime among engines that each have one fault; the hang is cut after 20 s."""
    folder = tmp_path_factory.mktemp("faulty")
    names = "wrong_kernel,killed,segfaults,hangs,liar,absent,breaks_build,onnxruntime"
    return launcher.run(folder, *SMALL, f"--inception-backends={names}", "-o", "inception_limits=time=20")


@pytest.fixture
def burner():
    """Another program, which uses all of one core."""
    process = subprocess.Popen([sys.executable, "-c", "print(1, flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()
