"""How many processes inductor may compile with follows from where the network is to run, whoever asks for it."""

from __future__ import annotations

import pytest

from inception_bench.machine.environment import usable_cores
from inception_bench.measure import builder_process
from inception_bench.measure import workshop as workshop_module
from inception_bench.measure.workshop import Workshop
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import ArtifactCache

THREADS = "TORCHINDUCTOR_COMPILE_THREADS"


@pytest.fixture
def started(monkeypatch):
    """The environments of the processes that would be started."""
    environments = []

    class Stub:
        alive = True

        def __init__(self, module, *, environment, **others):
            environments.append(environment)

        def call(self, op, limit_s, **fields):
            return {}, []

    monkeypatch.setattr(workshop_module, "Process", Stub)
    monkeypatch.setattr(builder_process, "Process", Stub)
    return environments


@pytest.mark.parametrize(("device", "threads"), [("cpu", 1), ("cuda", usable_cores())])
def test_a_worker_compiles_for_its_own_device(started, tmp_path, device, threads):
    Workshop(ArtifactCache(tmp_path), 1.0).worker(Runtime("compile", device, "fp32", 1, 1))
    assert [environment[THREADS] for environment in started] == [str(threads)]


@pytest.mark.parametrize(("problem", "threads"), [("no driver", 1), (None, usable_cores())])
def test_the_builder_compiles_for_what_is_here(started, tmp_path, monkeypatch, problem, threads):
    monkeypatch.setattr(workshop_module, "driver_problem", lambda: problem)
    Workshop(ArtifactCache(tmp_path), 1.0)._ask("anything")
    assert [environment[THREADS] for environment in started] == [str(threads)]
