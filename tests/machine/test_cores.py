"""On which cores the pairs of a duet run."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import psutil
import pytest

from inception_bench.machine import cores as cores_module
from inception_bench.machine.cores import BUSY_CORES, Others, crowded, draw_lanes, pin, pin_this_thread


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Makes this machine one of the given cores; ``siblings`` says which lie on one physical core."""

    def pretend(cores, siblings=None):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(cores))
        monkeypatch.setattr(cores_module, "_SIBLINGS", str(tmp_path / "{}"))
        for core, text in (siblings or {}).items():
            (tmp_path / str(core)).write_text(f"{text}\n")

    return pretend


def drawn(threads, count=200):
    draw = random.Random(1)
    return [draw_lanes(threads, draw) for _ in range(count)]


def test_two_pairs_have_a_core_each_drawn_from_all(machine):
    machine([0, 1, 5])
    found = {tuple(lanes) for lanes in drawn(1)}
    assert found == set(permutations([(0,), (1,), (5,)], 2))


def test_each_thread_has_its_core_and_the_odd_one_is_left(machine):
    machine(range(7))
    assert {frozenset(lanes) for lanes in drawn(3)} == {frozenset([(0, 1, 2), (3, 4, 5)])}


def test_no_two_on_one_physical_core(machine):
    machine(range(4), {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})
    assert {frozenset(lanes) for lanes in drawn(1)} == {frozenset([(0,), (1,)])}
    assert drawn(2, 3) == [[()]] * 3


@pytest.mark.parametrize(("cores", "threads"), [([0, 1], 2), ([0], 1), ([0, 1, 2], 2), ([0], 4)])
def test_one_pair_runs_anywhere_where_there_is_no_choice(machine, cores, threads):
    machine(cores)
    assert drawn(threads, 3) == [[()]] * 3


@pytest.mark.parametrize(
    ("cores", "others", "taken", "expected"),
    [
        (2, 0.5, 2, True),
        (2, 0.05, 2, False),  # no more than the clock's ticks make it uncertain
        (4, 0.5, 2, False),  # there are free ones
        (4, 2.5, 2, True),
    ],
)
def test_crowded_is_where_others_find_no_free_core(machine, cores, others, taken, expected):
    machine(range(cores))
    assert crowded(others, taken) is expected


def test_a_thread_is_held_alone():
    last = max(os.sched_getaffinity(0))
    before = os.sched_getaffinity(0)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(pin_this_thread, (last,)).result()
        assert threads.submit(os.sched_getaffinity, 0).result() == {last}
    assert os.sched_getaffinity(0) == before


def test_what_others_do_is_told_apart(burner):
    """Of two who watch at the same time, the one who counts the burner as a stranger sees what it used."""
    stranger, known = Others([]), Others([burner.pid])
    before = psutil.Process(burner.pid).cpu_times().user
    begun = time.monotonic()
    while (used := psutil.Process(burner.pid).cpu_times().user - before) < 0.5:
        pass  # this process's own time does not count
    share = used / (time.monotonic() - begun)
    assert stranger.cores() - known.cores() == pytest.approx(share, rel=0.2)
    assert stranger.cores() > BUSY_CORES


def test_every_thread_of_a_process_is_held():
    program = "import threading, sys; threading.Thread(target=sys.stdin.read).start(); print(1, flush=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        process.stdout.readline()
        last = max(os.sched_getaffinity(0))
        pin(process.pid, (last,))
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
        assert [os.sched_getaffinity(thread) for thread in threads] == [{last}] * 2
        pin(process.pid, ())  # leaves them where they are
        assert os.sched_getaffinity(process.pid) == {last}
    finally:
        process.kill()
        process.communicate()
