"""``inception-bench cache``: what it prints and removes; and every verb that fills the cache keeps it small."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inception_bench.cli import app
from inception_bench.report.text import age, bytes_text
from inception_bench.store.cache import ArtifactCache
from tests.cli.test_run import start
from tests.conftest import Launcher
from tests.store.test_housekeeping import USES, alive, entry, three

VARIABLE, LIMIT = "INCEPTION_BENCH_CACHE", "INCEPTION_BENCH_CACHE_LIMIT"
DAY = 86400


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of three artifacts of 1002 bytes, last used two, three and five days ago."""
    folder = tmp_path / "cache"
    now = time.time()
    for kind, letter, days in (("weights", "a", 2), ("weights", "b", 5), ("onnxruntime", "c", 3)):
        entry(folder, kind, letter, now - days * DAY)
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.delenv(LIMIT, raising=False)
    return folder


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stdout


def test_what_lies_there(root: Path):
    code, text = call("cache")
    assert code == 0
    head, *rows, last = text.splitlines()
    assert head.split() == ["kind", "entries", "in", "use", "size", "last", "used", "longest", "unused"]
    assert [" ".join(row.split()) for row in rows] == [
        "onnxruntime 1 1 kB 3 days ago 3 days ago",
        "weights 2 2 kB 2 days ago 5 days ago",
    ]
    assert last == f"cache: {root}, 3.01 kB, limit 10 GB (default)"


def test_what_lies_there_as_data(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(LIMIT, "1.5GiB")
    found = json.loads(call("cache", "--json")[1])
    kinds = {row.pop("kind"): row for row in found.pop("kinds")}
    assert found == {
        "folder": str(root), "limit_bytes": 1_610_612_736, "limit_from": LIMIT, "total_bytes": 3006, "entries": 3,
    }  # fmt: skip
    assert list(kinds) == ["onnxruntime", "weights"]
    days = {name: round(kinds["weights"].pop(name) / DAY, 2) for name in ("newest_age_s", "oldest_age_s")}
    assert days == {"newest_age_s": 2.0, "oldest_age_s": 5.0}
    assert kinds["weights"] == {"entries": 2, "in_use": 0, "size_bytes": 2004}


def test_what_two_kinds_share_is_told_once(root: Path):
    """A file of 1000 bytes with a name in each: it is of the first kind, of the second are the manifest's two bytes."""
    one, two = root / "onnxruntime" / ("c" * 64), root / "weights" / ("a" * 64)
    (two / "network.bin").unlink()
    os.link(one / "network.bin", two / "network.bin")
    found = json.loads(call("cache", "--json")[1])
    assert [row["size_bytes"] for row in found["kinds"]] == [1002, 1002 + 2]
    assert found["total_bytes"] == 2006


def test_an_empty_cache_without_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    monkeypatch.setenv(LIMIT, "none")
    assert call("cache") == (0, f"cache: {tmp_path / 'nowhere'}, 0 bytes, no limit ({LIMIT}=none)\n")
    assert json.loads(call("cache", "--json")[1])["limit_bytes"] is None


def test_prune(root: Path):
    code, text = call("cache", "prune", "--to", "2kB")
    assert (code, text) == (
        0,
        f"cache: removed 2 entries (1 weights, 1 onnxruntime), 2 kB; 1 kB left in {root}\n",
    )
    assert [path.name[0] for path in sorted(root.glob("*/*/")) if path.parent.name[0] != "."] == ["a"]
    assert call("cache", "prune") == (0, f"cache: nothing removed; 1 kB left in {root}\n")  # by the usual limit


@pytest.mark.parametrize("words", [("cache", "prune", "--to", "2004", "--json"), ("cache", "--json", "prune")])
def test_prune_as_data(root: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]):
    monkeypatch.setenv(LIMIT, "2004")
    code, text = call(*words)
    found = json.loads(text)
    removed = found.pop("removed")
    assert found == {
        "folder": str(root), "wanted_bytes": 2004, "freed_bytes": 1002, "left_bytes": 2004, "left_in_use_bytes": 0,
    }  # fmt: skip
    assert code == 0
    assert [round(each.pop("age_s") / DAY, 2) for each in removed] == [5.0]
    assert removed == [{"kind": "weights", "entry": f"weights/{'b' * 64}"}]


def test_prune_says_no_where_a_run_uses_too_much(root: Path):
    with alive(USES, root):
        code, text = call("cache", "prune", "--to", "0")
        assert code == 1
        used = json.loads(call("cache", "--json")[1])
    size = bytes_text(used["total_bytes"])
    assert text.endswith(f"; {size} left in {root}; more than 0 bytes: {size} are in use now\n")
    assert [(row["kind"], row["entries"], row["in_use"]) for row in used["kinds"]] == [("weights", 1, 1)]


@pytest.mark.parametrize(
    ("words", "limit", "complaint"),
    [
        (
            ("cache", "prune", "--to", "2 apples"), "1GB",
            "--to 2 apples is no size; give bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 2GB",
        ),
        (("cache", "prune"), "none", f"the cache has no limit ({LIMIT}=none); give --to 2GB"),
        (("cache",), "much", f"{LIMIT}=much is no size; give bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or "
            "TiB, such as 2GB, or none for no limit"),
        (("export", "googlenet", "--to", "torchscript", "-o", "x"), "much", f"{LIMIT}=much is no size"),
        (("train", "googlenet", "--data", "digits", "-o", "x"), "much", f"{LIMIT}=much is no size"),
        (("duet", "--b", "python"), "much", f"{LIMIT}=much is no size"),
        (("gate-power",), "much", f"{LIMIT}=much is no size"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(tmp_path: Path, words: tuple[str, ...], limit: str, complaint: str):
    """Before anything is done: no folder is made."""
    done = start(tmp_path, "inception_bench", *words, **{VARIABLE: str(tmp_path / "cache"), LIMIT: limit})
    assert done.returncode == 2
    assert done.stderr.startswith(f"inception-bench: {complaint}")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_doctor_tells_it_in_one_line(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("inception_bench.measure.doctor.examine", lambda **_: [])
    assert call("doctor")[1].splitlines()[-1] == f"cache: {root}, 3.01 kB, limit 10 GB (default)"
    monkeypatch.setenv(LIMIT, "much")
    last = call("doctor")[1].splitlines()[-1]
    assert last.startswith(f"cache: {root}; {LIMIT}=much is no size; give bytes")


def test_a_verb_keeps_the_cache_small_when_it_is_done(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Export's own artifact was used last, so it stays longest."""
    monkeypatch.setenv(LIMIT, "1500")

    def write(order: object, output: Path):
        output.write_text("network")
        return ArtifactCache(root).get("torchscript", {}, lambda folder: (folder / "network.pt").write_text("network"))

    monkeypatch.setattr("inception_bench.measure.export.export", write)
    done = CliRunner().invoke(app, ["export", "googlenet", "--to", "torchscript", "-o", str(tmp_path / "x.pt")])
    assert done.exit_code == 0, done.output
    own = sum(path.stat().st_size for path in root.glob("torchscript/*/*"))
    assert own < 498  # so one of the three stays beside it, not two: 1002 + own < 1500 < 2 x 1002
    assert done.stderr == (
        f"cache: removed 2 entries (1 weights, 1 onnxruntime), 2 kB; {bytes_text(1002 + own)} left in {root}\n"
    )
    again = CliRunner().invoke(app, ["export", "googlenet", "--to", "torchscript", "-o", str(tmp_path / "x.pt")])
    assert again.stderr == ""


@pytest.mark.slow
def test_a_run_of_the_suites_keeps_the_cache_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A line below the board where something was removed; a limit that is no size ends it before it begins."""
    own = Launcher(tmp_path / "cache", installed=False)
    options = ("--inception-models=googlenet", "--inception-width-mults=0.125")
    folders = three(own.cache)
    monkeypatch.setenv(LIMIT, "1002")
    run = own.run(tmp_path / "results", *options, suite="suites/test_complexity.py")
    assert run.code == 0, run.output
    line = f"cache: removed 2 entries (1 weights, 1 onnxruntime), 2 kB; 1 kB left in {own.cache}"
    assert line in run.output.splitlines()
    assert [folder.exists() for folder in folders] == [False, False, True]
    monkeypatch.setenv(LIMIT, "much")
    refused = own.run(tmp_path / "results", *options, suite="suites/test_complexity.py")
    assert refused.code == 4
    assert f"{LIMIT}=much is no size" in refused.output
    assert os.listdir(own.cache / "weights") == ["a" * 64]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (1049, "1.05 kB"), (999_499, "999 kB"),
        (75_236_950, "75.2 MB"), (5_087_389_169, "5.09 GB"), (10**10, "10 GB"), (12_345_678_901_234, "12,346 GB"),
    ],
)  # fmt: skip
def test_bytes_as_people_read_them(size: int, text: str):
    assert bytes_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"), (42, "42 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (172_799, "48 h"),
        (172_800, "2 days"), (1e7, "116 days"),
    ],
)  # fmt: skip
def test_ages_as_people_read_them(seconds: float, text: str):
    assert age(seconds) == text
