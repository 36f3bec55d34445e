"""Which cores both processes of a duet are held to."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from itertools import islice

import pytest

from inception_bench.gate.cores import core_groups, pin


def groups_of(monkeypatch, cores, threads, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(cores))
    return list(islice(core_groups(threads, random.Random(1)), count))


def test_each_core_comes_once_before_any_comes_again(monkeypatch):
    found = groups_of(monkeypatch, [0, 1, 5], 1, 9)
    for at in (0, 3, 6):
        assert sorted(found[at : at + 3]) == [(0,), (1,), (5,)]
    assert len({tuple(found[at : at + 3]) for at in (0, 3, 6)}) > 1  # in an order that is drawn


def test_two_threads_have_two_cores_and_the_odd_one_is_left(monkeypatch):
    assert sorted(set(groups_of(monkeypatch, range(5), 2, 8))) == [(0, 1), (2, 3)]


@pytest.mark.parametrize(("cores", "threads"), [([0, 1], 2), ([0], 1), ([0, 1, 2], 2), ([0], 4)])
def test_nothing_is_chosen_where_there_is_no_other_choice(monkeypatch, cores, threads):
    assert groups_of(monkeypatch, cores, threads, 3) == [(), (), ()]


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
