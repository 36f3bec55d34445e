"""One process at a time in a folder, and none for ever."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from filelock import FileLock, Timeout

from inception_bench.store.cache import BUILDING, ArtifactCache
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


def write(text: bytes):
    return lambda folder: (folder / "network.bin").write_bytes(text)


def test_an_older_revision_that_built_the_same_meanwhile_was_first(tmp_path):
    """It waits for nobody. Nothing is taken away under its engine, and the digest that is told is of its bytes."""

    def second(folder):
        other.append(ArtifactCache(tmp_path / "older").get("onnx", {}, write(b"first")))
        shutil.copytree(tmp_path / "older" / "onnx", tmp_path / "onnx", dirs_exist_ok=True)
        write(b"second")(folder)

    other = []
    found = ArtifactCache(tmp_path).get("onnx", {}, second)
    assert (found.folder / "network.bin").read_bytes() == b"first"
    assert found.digest == other[0].digest
    assert [path.name for path in (tmp_path / "onnx").iterdir()] == [found.key]


BUILDER = """
import sys
from pathlib import Path
from inception_bench.store.cache import ArtifactCache

def build(folder):
    print("building", flush=True)
    sys.stdin.read()
    (folder / "network.bin").write_bytes(b"other process")

ArtifactCache(Path(sys.argv[1])).get("onnx", {}, build)
"""


def test_what_another_process_is_building_is_waited_for(tmp_path):
    cache, command = ArtifactCache(tmp_path), [sys.executable, "-c", BUILDER, str(tmp_path)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "building\n"
    with ThreadPoolExecutor() as pool:
        found = pool.submit(cache.get, "onnx", {}, write(b"this one"))
        assert cache.get("onnx", {"of": "another"}, write(b"")).cached is False  # nobody waits for that
        assert not found.done()
        other.stdin.close()
        artifact = found.result(timeout=60)
    other.wait()
    assert (artifact.folder / "network.bin").read_bytes() == b"other process"
    assert artifact.cached
    assert list((tmp_path / BUILDING).iterdir()) == []


def test_of_many_threads_one_builds(tmp_path):
    built, meeting = [], Barrier(8)

    def build(folder):
        built.append(folder)
        write(b"once")(folder)

    def ask(_):
        meeting.wait()
        return ArtifactCache(tmp_path).get("onnx", {}, build)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(built) == 1
    assert [artifact.cached for artifact in found].count(False) == 1


def test_what_failed_is_built_by_the_next(tmp_path):
    def fail(folder):
        raise RuntimeError("within")

    with pytest.raises(RuntimeError):
        ArtifactCache(tmp_path).get("onnx", {}, fail)
    assert ArtifactCache(tmp_path).get("onnx", {}, write(b"whole")).cached is False
    assert list((tmp_path / BUILDING).iterdir()) == []
