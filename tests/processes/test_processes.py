"""Messages and processes: real ones, ended by real signals."""

from __future__ import annotations

import io
import os
import signal

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_bench.processes import wire
from inception_bench.processes.process import CallFailed, Process

WORKER = "inception_bench.worker"


VALUES = st.one_of(st.integers(), st.text(), st.booleans(), st.none())
ARRAYS = st.tuples(st.sampled_from(["float32", "float64", "uint8"]), st.lists(st.integers(0, 4), max_size=3))


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), st.lists(ARRAYS, max_size=3))
def test_message_comes_out_as_it_went_in(header, described):
    header.pop("arrays", None)
    arrays = [np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape) for dtype, shape in described]
    stream = io.BytesIO()
    wire.send(stream, header, arrays)
    stream.seek(0)
    got_header, got_arrays = wire.receive(stream)
    assert got_header == header
    for got, sent in zip(got_arrays, arrays, strict=True):
        np.testing.assert_array_equal(got, sent)
        assert got.dtype == sent.dtype


def test_cut_message_is_the_end_of_the_connection():
    stream = io.BytesIO()
    wire.send(stream, {"op": "round"}, [np.zeros(10)])
    with pytest.raises(EOFError):
        wire.receive(io.BytesIO(stream.getvalue()[:-1]))


@pytest.fixture
def worker():
    process = Process(WORKER)
    yield process
    process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_death_is_told_with_its_signal(worker, number):
    os.kill(worker.pid, number)
    with pytest.raises(CallFailed, match=f"killed by {number.name}") as failed:
        worker.call("round", 30)
    assert failed.value.outcome == "failed"
    assert not worker.alive


def test_stopped_process_is_a_timeout_and_then_gone(worker):
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(CallFailed, match="no answer within") as failed:
        worker.call("round", 0.2)
    assert failed.value.outcome == "timeout"
    assert not worker.alive


def test_error_inside_a_call_is_told_and_the_process_lives_on(worker):
    with pytest.raises(CallFailed, match="ModuleNotFoundError: No module named 'nowhere'"):
        worker.call("start", 30, backend="nowhere:BACKEND", device="cpu")
    answer, _ = worker.call("start", 60, backend="inception_bench.backends.onnxruntime:BACKEND", device="cpu")
    assert answer["pid"] == worker.pid


def test_interpreter_that_cannot_start_is_told():
    process = Process("inception_bench.no_such_module")
    with pytest.raises(
        CallFailed, match=r"exit code 1; its last words: .*No module named inception_bench.no_such_module"
    ):
        process.call("start", 30)
    process.kill()


def test_the_present_folder_is_not_where_code_comes_from(tmp_path, monkeypatch):
    """As in a checkout that was changed after it was installed: what was installed is what runs."""
    (tmp_path / "inception_bench").mkdir()
    (tmp_path / "inception_bench" / "__init__.py").write_text("raise RuntimeError('from the present folder')\n")
    (tmp_path / "numpy.py").write_text("raise RuntimeError('from the present folder')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    process = Process(WORKER)
    answer, _ = process.call("start", 60, backend="inception_bench.backends.onnxruntime:BACKEND", device="cpu")
    assert answer["pid"] == process.pid
    process.kill()


def test_prints_of_an_engine_do_not_disturb_messages(tmp_path, monkeypatch):
    (tmp_path / "chatty.py").write_text(
        "import sys, os\nprint('hello from python')\nos.write(1, b'hello from C')\n"
        "from inception_bench.backends.onnxruntime import BACKEND\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = Process(WORKER)
    answer, _ = process.call("start", 60, backend="chatty:BACKEND", device="cpu")
    assert answer["pid"] == process.pid
    assert "hello from C" in process.stderr_tail()
    process.kill()


def test_kill_ends_what_the_process_started_too(tmp_path, monkeypatch):
    (tmp_path / "forking.py").write_text(
        "import os, threading\nif os.fork() == 0:\n    threading.Event().wait()\n"
        "from inception_bench.backends.onnxruntime import BACKEND\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = Process(WORKER)
    process.call("start", 60, backend="forking:BACKEND", device="cpu")
    children = psutil.Process(process.pid).children()
    assert len(children) == 1
    process.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
