"""One contract, run over every runtime that is installed: what a worker may rely on, whatever the engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from inception_bench.backends.registry import find_backend
from inception_bench.measure.parity import LIMITS, parity_error
from inception_bench.measure.process import CallFailed, Process
from inception_bench.measure.workshop import Workshop, setup_of
from tests.backends.conftest import CPU_BACKENDS, LIMIT_S, Bench, bench, small_case


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
    logits = made.answers(worker, made.reference.images, made.case.batch_size)
    assert logits.shape == made.reference.logits.shape
    assert parity_error(logits, made.reference.logits, made.reference.spread) <= LIMITS["fp32"]


def test_it_says_truly_how_it_runs(made: Bench, worker: Process):
    found, _ = worker.call("attest", LIMIT_S, setup=vars(setup_of(made.case)))
    assert found["differences"] == []
    assert found["attest"]["precision"] == "fp32"
    assert found["attest"]["device"] == "cpu"
    assert found["attest"]["threads"] == made.case.threads
    assert found["attest"]["engine_version"][0].isdigit()
    assert isinstance(found["attest"]["batch_norms_left"], int)


def test_a_round_is_timed_inside(worker: Process):
    answer, _ = worker.call("round", LIMIT_S)
    assert 0 < answer["seconds"] < LIMIT_S
    assert answer["preempted"] >= 0
    assert answer["device_s"] is None  # there is no device but the CPU


def test_another_batch_size_is_right_or_refused(made: Bench, worker: Process):
    try:
        logits = made.answers(worker, made.reference.images, made.case.batch_size + 1)
    except CallFailed as refusal:
        assert refusal.outcome == "failed"
        assert len(str(refusal)) > 20
    else:
        assert parity_error(logits, made.reference.logits, made.reference.spread) <= LIMITS["fp32"]
    again = made.answers(worker, made.reference.images, made.case.batch_size)
    assert parity_error(again, made.reference.logits, made.reference.spread) <= LIMITS["fp32"]


def test_a_wrong_shape_is_an_error_and_no_answer(made: Bench, worker: Process, tmp_path):
    path = tmp_path / "four_channels.npy"
    np.save(path, np.zeros((2, 4, made.case.input_size, made.case.input_size), np.float32))
    with pytest.raises(CallFailed) as caught:
        made.answers(worker, path, made.case.batch_size)
    assert caught.value.outcome == "failed"
    assert worker.alive


def test_it_closes_twice(made: Bench):
    process = made.worker()
    made.load(process)
    process.call("close", LIMIT_S)
    process.call("close", LIMIT_S)
    process.kill()


def test_a_session_closes_twice(made: Bench):
    """The worker forgets a closed session, so the session itself is asked, in a process of its own."""
    process = Process("tests.backends.closing")
    answer, _ = process.call(
        "close_twice",
        LIMIT_S,
        backend=find_backend(made.case.backend).target,
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


def test_an_artifact_for_another_batch_is_another(made: Bench, workshop: Workshop):
    if not find_backend(made.case.backend).exports or made.case.backend == "aot_inductor":
        pytest.skip("loads the weights themselves, or takes long to build: shown by the others")
    other = bench(workshop, small_case(made.case.backend, batch_size=1))
    assert other.artifact.key != made.artifact.key
    process = other.worker()
    other.load(process)
    logits = other.answers(process, other.reference.images, 1)
    process.kill()
    assert parity_error(logits, other.reference.logits, other.reference.spread) <= LIMITS["fp32"]


def test_a_damaged_artifact_is_built_again(made: Bench, workshop: Workshop):
    if made.case.backend != "openvino":
        pytest.skip("the cache is the same for all; one engine file is enough")
    blob = made.artifact.folder / "network.blob"
    blob.write_bytes(blob.read_bytes()[:1000])
    again = bench(workshop, made.case)
    assert not again.artifact.cached
    assert again.artifact.key == made.artifact.key
