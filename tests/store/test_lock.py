"""One process at a time in a folder, and none for ever."""

from __future__ import annotations

import subprocess
import sys

import pytest
from filelock import FileLock, Timeout

from inception_bench.store.cache import ArtifactCache
from inception_bench.store.lock import FILE, alone_in

HOLDER = "import sys; from pathlib import Path; from inception_bench.store.lock import alone_in\n" + (
    "with alone_in(Path(sys.argv[1])): print('here', flush=True); sys.stdin.read()"
)


def test_a_holder_keeps_others_out_until_it_is_killed(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "here\n"
        with pytest.raises(Timeout):
            FileLock(tmp_path / FILE, timeout=0).acquire()
    finally:
        holder.kill()  # SIGKILL: nothing of it runs any more
        holder.communicate()
    with alone_in(tmp_path):
        assert (tmp_path / FILE).exists()


def test_what_ends_in_an_error_is_left(tmp_path):
    with pytest.raises(RuntimeError), alone_in(tmp_path):
        raise RuntimeError("within")
    with FileLock(tmp_path / FILE, timeout=0):
        pass


def test_two_runs_that_build_the_same_use_what_was_there_first(tmp_path):
    """The later one takes nothing away under the other's engine, and uses the bytes whose digest it tells."""

    def first(folder):
        (folder / "network.bin").write_bytes(b"first")

    def second(folder):
        other.append(ArtifactCache(tmp_path).get("onnx", {}, first))
        (folder / "network.bin").write_bytes(b"second")

    other = []
    found = ArtifactCache(tmp_path).get("onnx", {}, second)
    assert (found.folder / "network.bin").read_bytes() == b"first"
    assert found.digest == other[0].digest
    assert [path.name for path in (tmp_path / "onnx").iterdir()] == [found.key]
