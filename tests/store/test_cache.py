"""The artifact cache: built once, checked at each use, whole or absent."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from inception_bench.measure.identity import MODEL_SOURCES
from inception_bench.measure.training import SOURCES
from inception_bench.store.cache import PACKAGE, ArtifactCache, default_root, source_hash


class Builds:
    """Writes two files and counts how often it was asked."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, folder: Path) -> None:
        self.count += 1
        (folder / "network.bin").write_bytes(b"x" * 1000)
        (folder / "facts.json").write_text("{}")


def test_second_use_builds_nothing(tmp_path):
    cache, build = ArtifactCache(tmp_path), Builds()
    first = cache.get("onnx", {"weights": "a"}, build)
    second = cache.get("onnx", {"weights": "a"}, build)
    assert build.count == 1
    assert (first.cached, second.cached) == (False, True)
    assert first.size_bytes == second.size_bytes == 1002
    assert (first.folder, first.digest, first.build_s) == (second.folder, second.digest, second.build_s)


def test_other_parts_or_kind_are_other_artifacts(tmp_path):
    cache, build = ArtifactCache(tmp_path), Builds()
    keys = {cache.get(kind, {"weights": w}, build).key for kind in ("onnx", "jit") for w in ("a", "b")}
    assert len(keys) == build.count == 4


@pytest.mark.parametrize("damage", ["changed", "shorter", "missing", "manifest", "no manifest"])
def test_damaged_file_is_rebuilt(tmp_path, damage):
    cache, build = ArtifactCache(tmp_path), Builds()
    folder = cache.get("onnx", {}, build).folder
    if damage == "changed":
        (folder / "network.bin").write_bytes(b"x" * 999 + b"y")
    elif damage == "shorter":
        (folder / "network.bin").write_bytes(b"x" * 10)
    elif damage == "missing":
        (folder / "network.bin").unlink()
    elif damage == "manifest":
        (folder / "manifest.json").write_text("{half")
    else:
        (folder / "manifest.json").unlink()
    again = cache.get("onnx", {}, build)
    assert (build.count, again.cached) == (2, False)
    assert (folder / "network.bin").read_bytes() == b"x" * 1000
    assert cache.get("onnx", {}, build).cached


def test_failed_build_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "half.bin").write_bytes(b"x")
        raise RuntimeError("the exporter broke")

    with pytest.raises(RuntimeError):
        ArtifactCache(tmp_path).get("onnx", {}, fail)
    assert list((tmp_path / "onnx").iterdir()) == []


def test_place_can_be_named(monkeypatch):
    monkeypatch.setenv("INCEPTION_BENCH_CACHE", "/somewhere/else")
    assert default_root() == Path("/somewhere/else")


def test_a_hash_of_sources_leaves_out_the_file_that_is_named(tmp_path):
    """The same files but one, which differs: another hash, and the same one without that file."""
    for name, text in (("one", "a = 1\n"), ("other", "a = 2\n")):
        (tmp_path / name / "train").mkdir(parents=True)
        (tmp_path / name / "train" / "recipes.py").write_text(text)
        (tmp_path / name / "train" / "loop.py").write_text("b = 1\n")
    one, other = (source_hash(tmp_path / name, "train/*.py") for name in ("one", "other"))
    assert one != other
    one, other = (source_hash(tmp_path / name, "train/*.py", without="train/recipes.py") for name in ("one", "other"))
    assert one == other


def test_suites_inside_an_installed_package_are_no_part_of_its_hash(tmp_path):
    """In a checkout of the same sources they lie beside the package."""
    for name in ("checkout", "installed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "worker.py").write_text("a = 1\n")
    (tmp_path / "installed" / "suites").mkdir()
    (tmp_path / "installed" / "suites" / "test_latency.py").write_text("b = 1\n")
    assert source_hash(tmp_path / "installed") == source_hash(tmp_path / "checkout")


@pytest.mark.parametrize(
    ("variable", "expected"), [("/tmp/x", "/tmp/x/inception_bench"), ("", "/home/u/.cache/inception_bench")]
)
def test_a_host_without_platformdirs_has_a_cache(monkeypatch, variable: str, expected: str):
    """The folder of the XDG base directory specification, version 0.8: $XDG_CACHE_HOME, empty as if unset."""
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.delenv("INCEPTION_BENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setenv("HOME", "/home/u")
    assert default_root() == Path(expected)


@pytest.mark.parametrize(
    "changed",
    ["models/network.py", "models/tables/inception_v3.py", "models/weights/signal.py", "data/maps.py", "builder.py"],
)
def test_what_decides_a_network_or_its_images_changes_their_keys(tmp_path, changed: str):
    """A line in any folder that a reference depends on: a stale one would be compared with other answers."""
    copy = tmp_path / "inception_bench"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = source_hash(copy, *MODEL_SOURCES)
    assert before == source_hash(PACKAGE, *MODEL_SOURCES)
    source_hash.cache_clear()
    with (copy / changed).open("a") as stream:
        stream.write("\n# another line\n")
    assert source_hash(copy, *MODEL_SOURCES) != before
    if changed != "builder.py":
        assert source_hash(copy, *SOURCES) != source_hash(PACKAGE, *SOURCES)


def test_a_pattern_that_matches_nothing_here_is_an_error(tmp_path):
    """Of an older revision's package it is passed over: files have moved since."""
    with pytest.raises(LookupError, match=r"model/\*.py matches no file"):
        source_hash(PACKAGE, "model/*.py", "data/maps.py")
    (tmp_path / "worker.py").write_text("pass")
    assert source_hash(tmp_path, "model/*.py", "worker.py") == source_hash(tmp_path, "worker.py")
