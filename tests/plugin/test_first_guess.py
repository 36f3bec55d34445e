"""The line at the end of the collection: how long a run will take, from guesses and from earlier runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from inception_bench.machine.processor import processor
from inception_bench.measure.selection import Request, select
from inception_bench.plugin.session import place_of
from inception_bench.store.durations import Durations
from tests.conftest import ROOT, SMALL

CELL = "googlenet-eager-cpu-fp32-b1-32px-w0.125"


def first_guess(cache: Path) -> tuple[int, int]:
    """How many items there are, and the seconds that the line says."""
    command = [sys.executable, "-m", "pytest", "-p", "pytest_benchmark.plugin", "-p", "inception_bench.plugin"]
    options = [*SMALL, "--inception-backends=eager", "--collect-only", "-p", "no:cacheprovider"]
    ways = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "INCEPTION_BENCH_CACHE": str(cache)}
    done = subprocess.run(
        [*command, "suites/test_latency.py", *options],
        cwd=ROOT,
        env={**os.environ, **ways},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"inception_bench: (\d+) items, a first guess is (\d+):(\d\d)", done.stdout)
    assert found is not None, done.stdout
    items, minutes, seconds = map(int, found.groups())
    return items, 60 * minutes + seconds


def test_it_knows_what_the_item_took_on_this_machine(tmp_path: Path):
    items, guessed = first_guess(tmp_path)
    assert items == 1
    assert 0 < guessed < 60
    request = Request(models="googlenet", width_mults="0.125", input_sizes="32", threads="1", backends="eager")
    durations = Durations(tmp_path, place_of(select(request)))
    durations.keep({f"cell {CELL}": {"warm": 754.0, "cold": 1.0}})
    assert first_guess(tmp_path) == (1, 754)


def test_a_place_is_machine_threads_and_profile():
    places = {
        place_of(select(Request(models="googlenet", threads=threads, profile=profile)))
        for threads in ("1", "2")
        for profile in ("quick", "smoke")
    }
    assert len(places) == 4
    assert all(processor()["name"] in place for place in places)


def test_another_machine_teaches_nothing(tmp_path: Path):
    before = first_guess(tmp_path)
    Durations(tmp_path, "another machine").keep({f"cell {CELL}": {"warm": 754.0}})
    assert first_guess(tmp_path) == before
