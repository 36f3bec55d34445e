"""One contract, run over every runtime that is installed: what a worker may rely on, whatever the engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from inception_bench.backends.registry import find_backend
from inception_bench.measure.parity import LIMITS, parity_error
from inception_bench.measure.workshop import Workshop, setup_of
from inception_bench.processes.process import CallFailed, Process
from tests.backends.conftest import CPU_BACKENDS, LIMIT_S, Bench, bench, small_case
from tests.conftest import ROOT


@pytest.fixture(scope="module", params=CPU_BACKENDS)
def made(request: pytest.FixtureRequest, workshop: Workshop) -> Bench:
    absent = find_backend(request.param).missing()
    if absent is not None:
        pytest.skip(absent)
    return bench(workshop, small_case(request.param))


@pytest.fixture(scope="module")
def worker(made: Bench) -> Iterator[Process]:
    process = made.worker()
    made.load(process)
    made.first(process)
    yield process
    process.kill()


def test_it_answers_right(made: Bench, worker: Process):
    logits = made.answers(worker, made.reference.images, made.case.runtime.batch_size)
    assert logits.shape == made.reference.logits.shape
    assert parity_error(logits, made.reference.logits, made.reference.spread) <= LIMITS["fp32"]


def test_it_says_truly_how_it_runs(made: Bench, worker: Process):
    found, _ = worker.call("attest", LIMIT_S, setup=vars(setup_of(made.case)))
    assert found["differences"] == []
    assert found["attest"]["precision"] == "fp32"
    assert found["attest"]["device"] == "cpu"
    assert found["attest"]["threads"] == made.case.runtime.threads
    assert found["attest"]["engine_version"][0].isdigit()
    assert isinstance(found["attest"]["batch_norms_left"], int)


def test_a_round_is_timed_inside(worker: Process):
    answer, _ = worker.call("round", LIMIT_S)
    assert 0 < answer["seconds"] < LIMIT_S
    assert answer["preempted"] >= 0
    assert answer["device_s"] is None  # there is no device but the CPU


def test_another_batch_size_is_right_or_refused(made: Bench, worker: Process):
    fixed = find_backend(made.case.runtime.backend).exports and made.case.runtime.backend != "torchscript"
    if fixed:
        with pytest.raises(CallFailed, match=r"(?i)shape|dimension|expected"):
            made.answers(worker, made.reference.images, made.case.runtime.batch_size + 1)
    else:
        logits = made.answers(worker, made.reference.images, made.case.runtime.batch_size + 1)
        assert parity_error(logits, made.reference.logits, made.reference.spread) <= LIMITS["fp32"]
    again = made.answers(worker, made.reference.images, made.case.runtime.batch_size)
    assert parity_error(again, made.reference.logits, made.reference.spread) <= LIMITS["fp32"]


def test_a_wrong_shape_is_an_error_and_no_answer(made: Bench, worker: Process, tmp_path):
    path = tmp_path / "four_channels.npy"
    np.save(path, np.zeros((2, 4, made.case.network.input_size, made.case.network.input_size), np.float32))
    with pytest.raises(CallFailed) as caught:
        made.answers(worker, path, made.case.runtime.batch_size)
    assert caught.value.outcome == "failed"
    assert worker.alive


def test_it_closes_twice(made: Bench, monkeypatch: pytest.MonkeyPatch):
    """A worker forgets a closed session, so the session itself is asked, in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)  # the tests are no part of what is installed
    process = Process("tests.backends.closing")
    answer, _ = process.call(
        "close_twice",
        LIMIT_S,
        backend=find_backend(made.case.runtime.backend).target,
        folder=str(made.artifact.folder),
        setup=vars(setup_of(made.case)),
    )
    process.kill()
    assert answer["closed"] == 2


def test_a_killed_worker_is_one_clear_failure(made: Bench):
    process = made.worker()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(CallFailed, match="SIGKILL"):
        process.call("round", LIMIT_S)
    assert not process.alive
    process.kill()


@pytest.mark.parametrize("backend", ["torchscript", "onnxruntime", "openvino"])
def test_an_artifact_for_another_batch_is_another(backend: str, workshop: Workshop):
    pair, single = (bench(workshop, small_case(backend, batch_size=size)) for size in (2, 1))
    assert single.artifact.key != pair.artifact.key
    process = single.worker()
    single.load(process)
    logits = single.answers(process, single.reference.images, 1)
    process.kill()
    assert parity_error(logits, single.reference.logits, single.reference.spread) <= LIMITS["fp32"]


def test_a_damaged_engine_file_is_built_again(workshop: Workshop):
    whole = bench(workshop, small_case("openvino", batch_size=1))
    assert bench(workshop, whole.case).artifact.cached
    blob = whole.artifact.folder / "network.blob"
    blob.write_bytes(blob.read_bytes()[:1000])
    again = bench(workshop, whole.case)
    assert not again.artifact.cached
    assert again.artifact.key == whole.artifact.key
