"""What is known of a machine that does not count: Linux without ``/proc``."""

from __future__ import annotations

import os

import psutil
import pytest

from inception_bench.machine.environment import Activity, read_environment

COUNTED_IN_PROC = ("virtual_memory", "cpu_count", "cpu_times", "getloadavg")


@pytest.fixture
def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*given, **named):
        raise FileNotFoundError(2, "No such file or directory", "/proc/stat")

    for name in COUNTED_IN_PROC:
        monkeypatch.setattr(psutil, name, absent)


def test_a_machine_without_counters_is_described(without_proc: None):
    """The C library knows the memory without ``/proc``; in whole pages, as the kernel's own figure is."""
    found = read_environment()
    assert found.physical_cores is None
    assert found.memory_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found.memory_bytes > 2**28


def test_what_is_not_counted_is_unknown_and_never_0(without_proc: None):
    unknown = {"load_average": None, "steal_s": None, "busy_s": None}
    assert Activity.now().since(Activity.now()) == unknown
    assert Activity((1.0, 1.0, 1.0), 1.0, 5.0).since(Activity(None, None, None)) == {
        "load_average": [1.0, 1.0, 1.0], "steal_s": None, "busy_s": None,
    }  # fmt: skip


def test_counters_are_told_as_what_passed():
    """7 - 5 CPU seconds, of which a hypervisor gave 0.5 away."""
    passed = Activity((1.0, 2.0, 3.0), 1.5, 7.0).since(Activity((0.0, 0.0, 0.0), 1.0, 5.0))
    assert passed == {"load_average": [1.0, 2.0, 3.0], "steal_s": 0.5, "busy_s": 2.0}
