"""The cache is kept small: what goes first, what stays, what is counted. Sizes are of files of 1000 and 2 bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inception_bench.errors import UsageError
from inception_bench.store.cache import ArtifactCache
from inception_bench.store.housekeeping import Limit, end_run, look, prune, read_limit
from inception_bench.store.lease import FOLDER, release
from inception_bench.store.size import parse_size

# Each says when it is ready and lives until its standard input ends; what a test does not want is never imported.
USER = """
import sys
from pathlib import Path
from inception_bench.store.cache import ArtifactCache
cache = ArtifactCache(Path(sys.argv[1]))
def wait(folder):
    (folder / "half.bin").write_bytes(b"x" * 1000)
    print("here", flush=True)
    sys.stdin.read()
"""
USES = USER + "wait(cache.get('weights', {}, lambda folder: (folder / 'w.bin').write_bytes(b'x')).folder)"
BUILDS = USER + "cache.get('weights', {}, wait)"
TRAINS = USER + "own = cache.filled('training', 'a-job'); own.mkdir(); wait(own)"
COMPILES = USER + "own = cache.filled('inductor') / 'code'; own.mkdir(); wait(own)"


@contextmanager
def alive(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that has come so far that it says so."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "here\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)  # nothing of it runs any more
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def entry(root: Path, kind: str, letter: str, used: float) -> Path:
    """An artifact of 1002 bytes that was last used at a time of the clock."""
    folder = root / kind / (letter * 64)
    folder.mkdir(parents=True)
    (folder / "network.bin").write_bytes(b"x" * 1000)
    (folder / "manifest.json").write_text("{}")
    os.utime(folder / "manifest.json", (used, used))
    return folder


def three(root: Path) -> list[Path]:
    """Last used at 100, 200 and 300: neither in the order of their names nor of their kinds."""
    return [entry(root, "weights", "c", 100), entry(root, "onnxruntime", "b", 200), entry(root, "weights", "a", 300)]


def names(root: Path) -> set[str]:
    """All files but those by which the cache keeps house."""
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return {file for file in files if not any(part[0] == "." for part in file.split("/"))}


def test_all_that_lies_there_is_counted(tmp_path):
    folders = three(tmp_path)
    found = look(tmp_path)
    assert [(each.kind, each.path, each.last_used) for each in found.entries] == [
        ("weights", folders[0], 100), ("onnxruntime", folders[1], 200), ("weights", folders[2], 300),
    ]  # fmt: skip
    assert found.size_bytes == 3 * 1002
    assert look(tmp_path / "nowhere").size_bytes == 0


@pytest.mark.parametrize(
    ("wanted", "stay"),
    [
        (3006, (True, True, True)),  # all of it: 3 x 1002
        (3005, (False, True, True)),
        (2004, (False, True, True)),
        (2003, (False, False, True)),
        (1002, (False, False, True)),
        (1001, (False, False, False)),
        (0, (False, False, False)),
    ],
)
def test_what_was_not_used_for_longest_goes_first(tmp_path, wanted: int, stay: tuple[bool, ...]):
    folders = three(tmp_path)
    pruned = prune(tmp_path, wanted)
    assert tuple(folder.exists() for folder in folders) == stay
    assert pruned.left.size_bytes == look(tmp_path).size_bytes == 1002 * sum(stay)
    assert pruned.freed_bytes == 1002 * (3 - sum(stay))
    assert [each.path for each in pruned.removed] == folders[: 3 - sum(stay)]
    assert pruned.reached
    assert not list((tmp_path / ".unfinished").glob("*"))  # what was moved there is gone too


def test_nothing_is_made_where_there_is_no_cache(tmp_path):
    assert prune(tmp_path / "nowhere", 0).removed == ()
    assert not (tmp_path / "nowhere").exists()


def test_what_the_cache_hands_out_was_used_now(tmp_path):
    """The older of two artifacts is asked for again: then the other one was not used for longest."""
    cache = ArtifactCache(tmp_path)
    for name in ("first", "second"):
        folder = cache.get("onnx", {"of": name}, lambda folder: (folder / "network.bin").write_bytes(b"x")).folder
        os.utime(folder / "manifest.json", (100, 100 if name == "first" else 200))
    first = cache.get("onnx", {"of": "first"}, lambda _: pytest.fail("it was there")).folder
    assert [each.path == first for each in look(tmp_path).entries] == [False, True]


def test_what_is_not_surely_the_cache_s_own_is_neither_counted_nor_removed(tmp_path):
    """The folder may be one that holds other things."""
    for name in (
        "notes.txt",
        "Documents/letter.txt",
        f"Documents/{'a' * 64}/letter.txt",
        "Documents/other/manifest.json",
        "photographs/building-supplies/one.png",
        "inductor/code/mine.py",
        "training/mine/log.txt",
        "timings/mine.cache",
        f"a/b/{'a' * 64}/manifest.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    outside = entry(tmp_path / "Documents", "weights", "f", 100)
    (tmp_path / "link").symlink_to(outside.parent)
    before = names(tmp_path)
    own = entry(tmp_path, "weights", "e", 100)
    assert look(tmp_path).size_bytes == 1002
    assert prune(tmp_path, 0).freed_bytes == 1002
    assert not own.exists()
    assert names(tmp_path) == before


def test_a_run_keeps_what_it_uses_until_it_is_killed(tmp_path):
    """And what it does not use goes, though that was used later."""
    with alive(USES, tmp_path) as user:
        other = entry(tmp_path, "weights", "f", 4e9)
        pruned = prune(tmp_path, 0)
        assert [each.path for each in pruned.removed] == [other]
        assert {Path(name).name for name in names(tmp_path)} == {"half.bin", "w.bin", "manifest.json"}
        manifest = next((tmp_path / "weights").glob("*/manifest.json"))
        assert pruned.left.size_bytes == pruned.used_bytes == 1000 + 1 + manifest.stat().st_size
        assert not pruned.reached
        kill(user)
    assert len(prune(tmp_path, 0).removed) == 1
    assert names(tmp_path) == set()
    assert not list((tmp_path / FOLDER).iterdir())  # nor is anything left of its lease


def test_a_run_that_ends_in_order_leaves_no_lease(tmp_path):
    with alive(USES, tmp_path) as user:
        assert len(list((tmp_path / FOLDER).iterdir())) == 1
        user.communicate()
        assert user.returncode == 0
        assert not list((tmp_path / FOLDER).iterdir())


def test_what_is_being_built_stays_and_what_a_killed_build_left_goes_at_once(tmp_path):
    with alive(BUILDS, tmp_path) as builder:
        assert prune(tmp_path, 0).removed == ()
        assert [each.kind for each in look(tmp_path).entries] == ["unfinished"]
        kill(builder)
    kept = entry(tmp_path, "weights", "a", 100)
    pruned = prune(tmp_path, 10**6)  # though there is room, and it is younger
    assert [(each.kind, sum(each.files.values())) for each in pruned.removed] == [("unfinished", 1000)]
    assert kept.exists()


@pytest.mark.parametrize(("program", "kind"), [(TRAINS, "training"), (COMPILES, "inductor")])
def test_what_engines_and_trainings_keep_there_is_tidied_too(tmp_path, program: str, kind: str):
    with alive(program, tmp_path) as user:
        assert prune(tmp_path, 0).removed == ()
        kill(user)
    again = ArtifactCache(tmp_path).filled(kind, "another")
    again.mkdir()
    (again / "half.bin").write_bytes(b"x" * 500)
    half = next(path for path in (tmp_path / kind).glob("*/half.bin") if path.parent != again)
    os.utime(half, (200, 100))  # read later than written
    os.utime(half.parent, (150, 150))
    oldest = look(tmp_path).entries[0]
    assert (oldest.kind, oldest.last_used, oldest.in_use) == (kind, 200, False)
    pruned = prune(tmp_path, 0)
    assert [each.path for each in pruned.removed] == [half.parent]
    assert pruned.left.size_bytes == 500  # this process uses it
    assert end_run(Limit(None, "")) is None


LOOPS = """
import sys
from pathlib import Path
from inception_bench.store.cache import ArtifactCache
cache = ArtifactCache(Path(sys.argv[1]))
for number in range(60):
    found = cache.get("onnx", {"of": number % 20}, lambda folder: (folder / "network.bin").write_bytes(b"x" * 1000))
    assert (found.folder / "network.bin").stat().st_size == 1000, number
"""


def test_two_runs_and_housekeeping_at_once(tmp_path):
    """What the cache hands out is there and stays there, whoever removes what others built."""
    runs = [subprocess.Popen([sys.executable, "-c", LOOPS, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(2)]
    while any(run.poll() is None for run in runs):
        prune(tmp_path, 0)
    assert [(run.communicate()[1], run.returncode) for run in runs] == [(b"", 0), (b"", 0)]
    prune(tmp_path, 0)
    assert names(tmp_path) == set()


def test_the_end_of_a_run_gives_up_what_it_used(tmp_path, monkeypatch):
    monkeypatch.setenv("INCEPTION_BENCH_CACHE", str(tmp_path))
    ArtifactCache(tmp_path).get("onnx", {}, lambda folder: (folder / "network.bin").write_bytes(b"x" * 1000))
    assert prune(tmp_path, 0).removed == ()
    assert end_run(Limit(10**6, "")) is None
    ArtifactCache(tmp_path).get("onnx", {}, lambda _: pytest.fail("it was there"))
    assert len(end_run(Limit(999, "")).removed) == 1


def build_large(letter: str):
    """An artifact of 100,000 equal bytes, and a file of its own."""

    def build(folder: Path) -> None:
        (folder / "network.bin").write_bytes(b"x" * 100_000)
        (folder / "own.txt").write_text(letter)

    return build


def large(root: Path, letter: str, kind: str = "onnx") -> Path:
    return ArtifactCache(root).get(kind, {"of": letter}, build_large(letter)).folder / "network.bin"


def manifests(*files: Path) -> int:
    """Bytes of the manifests beside the files, and of the files of one letter."""
    return sum((file.parent / "manifest.json").stat().st_size + 1 for file in files)


def test_equal_files_of_a_kind_lie_there_once(tmp_path):
    one, two, other = large(tmp_path, "a"), large(tmp_path, "b"), large(tmp_path, "a", kind="jit")
    assert one.samefile(two)
    assert not one.samefile(other)
    assert look(tmp_path).size_bytes == 2 * 100_000 + manifests(one, two, other)
    assert two.read_bytes() == b"x" * 100_000
    assert not list(two.parent.glob("*.same"))


def test_a_shared_file_goes_with_the_last_of_its_names(tmp_path):
    one, two = large(tmp_path, "a"), large(tmp_path, "b")
    os.utime(one.parent / "manifest.json", (100, 100))
    release(tmp_path)
    size, given_back = 100_000 + manifests(one, two), manifests(one)
    pruned = prune(tmp_path, size - 1)
    assert (one.exists(), two.exists()) == (False, True)
    assert pruned.freed_bytes == given_back
    assert pruned.left.size_bytes == look(tmp_path).size_bytes == size - given_back
    assert large(tmp_path, "b") == two  # whole: it is found, not built
    assert two.stat().st_nlink == 1


def test_a_shared_file_is_not_counted_as_given_back_while_it_has_a_name(tmp_path):
    """To get below what both hold together, by more than the older one's own files, both must go."""
    one, two = large(tmp_path, "a"), large(tmp_path, "b")
    release(tmp_path)
    wanted = 100_000 + manifests(two) - 1
    assert len(prune(tmp_path, wanted).removed) == 2
    assert not one.exists()
    assert not two.exists()


def test_a_damaged_file_is_not_shared(tmp_path):
    """It has the size and, by its manifest, the hash."""
    one = large(tmp_path, "a")
    one.write_bytes(b"y" * 100_000)
    two = large(tmp_path, "b")
    assert two.read_bytes() == b"x" * 100_000
    assert not list(two.parent.glob("*.same"))


def test_damage_of_a_shared_file_is_repaired_in_each(tmp_path):
    one, two = large(tmp_path, "a"), large(tmp_path, "b")
    one.write_bytes(b"y")
    assert two.read_bytes() == b"y"
    assert [large(tmp_path, letter).read_bytes() for letter in "ab"] == [b"x" * 100_000] * 2


def test_without_hard_links_there_are_copies(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    one, two = large(tmp_path, "a"), large(tmp_path, "b")
    assert not one.samefile(two)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("0", 0), ("512", 512), ("7B", 7), ("2GB", 2_000_000_000), ("2 gb", 2_000_000_000), ("500MB", 500_000_000),
        ("1.5GiB", 1_610_612_736), ("1 KiB", 1024), ("3kB", 3000), ("1TB", 10**12), ("2TiB", 2 * 1024**4),
        ("0.29GB", 290_000_000),
    ],
)  # fmt: skip
def test_sizes(given: str, wanted: int):
    assert parse_size(given) == wanted


@pytest.mark.parametrize("given", ["", "GB", "-1", "2 apples", "1e9", "2GB 3MB", "1,5GB", "2iB", "2G", "inf", "²GB"])
def test_no_sizes(given: str):
    with pytest.raises(ValueError, match=r".*"):
        parse_size(given)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, Limit(10 * 10**9, "default")),
        ("", Limit(10 * 10**9, "default")),
        ("none", Limit(None, "INCEPTION_BENCH_CACHE_LIMIT")),
        ("0", Limit(0, "INCEPTION_BENCH_CACHE_LIMIT")),
        ("1MiB", Limit(1_048_576, "INCEPTION_BENCH_CACHE_LIMIT")),
    ],
)
def test_limit(monkeypatch, given: str | None, wanted: Limit):
    monkeypatch.delenv("INCEPTION_BENCH_CACHE_LIMIT", raising=False)
    if given is not None:
        monkeypatch.setenv("INCEPTION_BENCH_CACHE_LIMIT", given)
    assert read_limit() == wanted


def test_a_limit_that_is_none(monkeypatch):
    monkeypatch.setenv("INCEPTION_BENCH_CACHE_LIMIT", "much")
    with pytest.raises(UsageError, match=r"INCEPTION_BENCH_CACHE_LIMIT=much is no size; give bytes, .* 2GB, or none"):
        read_limit()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_cache_that_cannot_be_written_is_read_and_left(tmp_path):
    cache = tmp_path / "cache"
    one = large(cache, "a")
    release(cache)
    for folder in (cache, *(path for path in cache.rglob("*") if path.is_dir())):
        folder.chmod(0o500)
    assert large(cache, "a") == one
    with pytest.raises(UsageError, match=r"cannot be written \(Permission denied\); ask its owner"):
        prune(cache, 0)
    assert look(cache).size_bytes > 100_000
