"""The kit for a GPU host, dry: on the CPU, in an environment that holds only what such a host brings."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import tarfile
import venv
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow  # an environment of its own, in which whole runs are measured

# What a host of a GPU without a network has of what this package could use; the rest of the package's own needs
# (platformdirs, fvcore, tabulate, the histogram of pytest-benchmark) it lacks, and typer may be lacking too.
HOST = (
    "torch", "numpy", "onnx", "onnx-ir", "onnxscript", "onnxruntime", "ml-dtypes", "protobuf", "pytest",
    "pytest-benchmark", "py-cpuinfo2", "py-cpuinfo", "pluggy", "iniconfig", "packaging", "pygments", "pandas",
    "python-dateutil", "six", "scikit-learn", "scipy", "joblib", "cloudpickle", "threadpoolctl", "narwhals",
    "pillow", "safetensors", "rich", "markdown-it-py", "mdurl", "psutil", "lightning-fabric", "lightning-utilities",
    "torchmetrics", "tqdm", "fsspec", "pyyaml", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "filelock",
    "typing-extensions", "setuptools", "flatbuffers",
)  # fmt: skip
ABSENT = ("platformdirs", "fvcore", "tabulate", "typer", "inception_bench")


@dataclass(frozen=True)
class Host:
    """An interpreter with few packages, and where it keeps what it builds."""

    python: Path
    folder: Path

    def gpu_sh(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """``scripts/gpu.sh`` as on such a host: nothing of this test's own environment is on its path."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "INCEPTION"))}
        own = {"PYTHON": str(self.python), "TMPDIR": str(self.folder), "OMP_NUM_THREADS": "1", "DOCTOR": "0"}
        return subprocess.run(
            ["bash", str(ROOT / "scripts" / "gpu.sh"), *words],
            env={**kept, **own, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    folder = tmp_path_factory.mktemp("host")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    site = Path(_run(python, "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for distribution in distributions():
        if distribution.name.lower().replace("_", "-") in HOST:
            _link(distribution, site)
    return Host(python, folder)


def _link(distribution: Distribution, site: Path) -> None:
    """Put a package of this interpreter into another one's folder, by links to its files at the top."""
    for top in {path.parts[0] for path in distribution.files or () if path.parts[0] not in ("..", "__pycache__")}:
        source = Path(str(distribution.locate_file(top)))
        if source.exists() and not (site / top).exists():
            (site / top).symlink_to(source)


def _run(python: Path, program: str) -> str:
    # Not from the checkout, whose folder Python would put on the path.
    return subprocess.run([python, "-c", program], cwd="/", capture_output=True, text=True, check=True).stdout


def test_the_environment_is_as_poor_as_a_host(host: Host):
    program = f"from importlib.util import find_spec; print([name for name in {ABSENT} if find_spec(name)])"
    assert _run(host.python, program).strip() == "[]"
    assert _run(host.python, "import torch; print(torch.__version__)").strip()


def test_dry_run_measures_and_leaves_one_archive(host: Host, tmp_path: Path):
    """Probe, two cells of Inception-v3 with the reference shared between them, board, archive: from the source tree."""
    small = {"DEVICE": "cpu", "SMALL": "1", "LEASE": "a", "PROBE": "1", "PROBE_OPTIONS": "--small --sections machine"}
    results, out = tmp_path / "results", tmp_path / "out"
    done = host.gpu_sh(str(results), **small, OUT=str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "inception_bench: 2 items, a first guess is 0:" in done.stdout
    with tarfile.open(out / "results.tar.gz.0") as archive:
        archive.extractall(tmp_path / "back", filter="data")
    back = tmp_path / "back"
    assert json.loads((back / "probe.json").read_text())["finished"] is True
    with (back / "leaderboard.csv").open(newline="") as stream:
        rows = {row["precision"]: row for row in csv.DictReader(stream)}
    assert {name: (row["model"], row["outcome"]) for name, row in rows.items()} == {
        "fp32": ("inception_v3", "ok"),
        "fp16": ("inception_v3", "ok"),
    }
    records = cells_of(back / "records.jsonl")
    assert len({record["body"]["partner_pid"] for record in records}) == 1
    assert (host.folder / "inception_bench").is_dir()  # the cache, in the system's temporary folder
    again = host.gpu_sh(str(results), **{**small, "PROBE": "0"})
    assert again.returncode == 0, again.stdout + again.stderr
    resumed = cells_of(results / "records.jsonl")[2:]
    assert [bool(record["resumed_from"]) for record in resumed] == [True, True]


def cells_of(records: Path) -> list[dict[str, Any]]:
    """All but what the machine gave between them."""
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    return [line for line in lines if line["kind"] != "ceilings"]


def test_a_limit_ends_the_run_in_order(host: Host, tmp_path: Path):
    """As by Ctrl-C: whatever was measured until then is on the board, and there is no traceback."""
    small = {"DEVICE": "cpu", "SMALL": "1", "LEASE": "b", "LIMIT_S": "20"}
    done = host.gpu_sh(str(tmp_path), **small)
    assert done.returncode in (2, 124), done.stdout + done.stderr
    assert "KeyboardInterrupt" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    records, board = tmp_path / "records.jsonl", tmp_path / "leaderboard.csv"
    measured = len(cells_of(records)) if records.exists() else 0
    assert (len(board.read_text().splitlines()) - 1 if board.exists() else 0) == measured < 15


@pytest.mark.parametrize(("lease", "seconds"), [("a", 150), ("b", 420)])
def test_the_printed_plan_fits_a_lease(host: Host, lease: str, seconds: int):
    """Made anywhere, for the device that is lent; lease A probes for at most 80 s before."""
    done = host.gpu_sh("--plan", LEASE=lease)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("inception_bench: ")]
    minutes, rest = line.rpartition(" ")[2].split(":")
    probe = 80 if lease == "a" else 0
    assert 0 < int(minutes) * 60 + int(rest) + probe < seconds
    assert "-cuda-" in done.stdout


def test_an_unknown_lease_is_one_line(host: Host):
    done = host.gpu_sh(LEASE="c")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "LEASE=c is none; give a or b\n")
