"""What a network computes is an exact fact too: seen by what known faults do to its answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from inception_bench.gate.stored.compare import compare
from inception_bench.gate.stored.stored_run import load_run
from tests.conftest import ROOT, SMALL
from tests.gate.records import write_run

ORT = 1
FAULTS = {"kernel at Conv2d_1a_7x7": 2.0, "order at Mixed_3b": 3.0}


def with_faults(faults, by="logits"):
    def change(records):
        records[ORT]["body"]["parity"].update(by=by, mutations=faults)

    return change


def facts(tmp_path, before, after):
    runs = [load_run(write_run(tmp_path / name, change)) for name, change in (("before", before), ("after", after))]
    return [(fact.rating, fact.text) for fact in compare(*runs).cells[ORT].facts]


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ({**FAULTS, "order at Mixed_3b": 3.04}, "effect of another order at Mixed_3b 3 -> 3.04 (another network)"),
        ({"kernel at Conv2d_1a_7x7": 2.0}, "effect of another order at Mixed_3b 3 -> none (another network)"),
        ({**FAULTS, "order at Mixed_3b": 3.02}, None),  # within 1 %: another machine's rounding
    ],
)
def test_a_fault_that_changes_the_answers_otherwise_is_another_network(tmp_path, after, text):
    found = facts(tmp_path, with_faults(FAULTS), with_faults(after))
    assert found == ([("regression", text)] if text else [])


def test_rows_and_runs_without_faults_tell_nothing(tmp_path):
    other = {name: 2 * effect for name, effect in FAULTS.items()}
    assert facts(tmp_path / "rows", with_faults(FAULTS, "rows"), with_faults(other, "rows")) == []
    assert facts(tmp_path / "none", None, with_faults(other)) == []


def test_exchanged_branches_are_red_against_a_stored_run(small_run, cache_root, tmp_path):
    """The same params and MACs, and right by its own reference: the function alone differs."""
    home = tmp_path / "home"
    for name in ("inception_bench", "suites"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    table = home / "inception_bench" / "models" / "tables" / "googlenet.py"
    one, three = 'f"1x1:{one}", ', 'f"1x1:{reduce3} 3x3:{three}", '
    assert one + three in table.read_text()
    table.write_text(table.read_text().replace(one + three, three + one))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_benchmark.plugin", "-p", "inception_bench.plugin", "-p",
         "no:cacheprovider", "suites/test_latency.py", "--benchmark-only", f"--inception-results={tmp_path / 'run'}",
         f"--inception-baseline={small_run.folder}", *SMALL, "--inception-backends=onnxruntime"],
        cwd=home, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(home), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
             "INCEPTION_BENCH_CACHE": str(cache_root)},
    )  # fmt: skip
    assert "1 passed" in done.stdout
    assert done.returncode == 1, done.stdout
    (worse,) = [line for line in done.stdout.splitlines() if ": worse: " in line]
    assert "effect of another kernel at " in worse
    assert "(another network)" in worse
