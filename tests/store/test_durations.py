"""How long items took is kept beside the artifacts, for the next run of the same place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inception_bench.store import durations
from inception_bench.store.durations import FILE, Durations
from inception_bench.store.housekeeping import look, prune


def test_the_newest_is_kept_and_cold_and_warm_apart(tmp_path: Path):
    place = Durations(tmp_path, "a machine, quick")
    assert place.read() == {}
    place.keep({"cell a": {"cold": 20.0}, "cell b": {"warm": 3.0}})
    place.keep({"cell a": {"warm": 8.0}, "cell b": {"warm": 4.00049}})
    assert place.read() == {"cell a": {"cold": 20.0, "warm": 8.0}, "cell b": {"warm": 4.0}}


def test_places_know_nothing_of_each_other(tmp_path: Path):
    Durations(tmp_path, "one").keep({"cell a": {"warm": 1.0}})
    Durations(tmp_path, "two").keep({"cell a": {"warm": 2.0}})
    assert Durations(tmp_path, "one").read() == {"cell a": {"warm": 1.0}}
    assert Durations(tmp_path, "two").read() == {"cell a": {"warm": 2.0}}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"took_s": 3}', '{"took_s": {"one": 3}}'])
def test_a_damaged_file_is_replaced(text: str, tmp_path: Path):
    (tmp_path / FILE).write_text(text)
    place = Durations(tmp_path, "one")
    assert place.read() == {}
    place.keep({"cell a": {"warm": 1.0}})
    assert place.read() == {"cell a": {"warm": 1.0}}


def test_a_later_revisions_file_stays(tmp_path: Path):
    later = json.dumps({"version": 2, "took_s": {"one": {"cell a": {"warm": 1.0}}}})
    (tmp_path / FILE).write_text(later)
    place = Durations(tmp_path, "one")
    assert place.read() == {}
    place.keep({"cell a": {"warm": 2.0}})
    assert (tmp_path / FILE).read_text() == later


def test_what_was_kept_longest_ago_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(durations, "MOST_ITEMS", 3)
    one, two = Durations(tmp_path, "one"), Durations(tmp_path, "two")
    one.keep({name: {"warm": 1.0} for name in "ab"})
    two.keep({name: {"warm": 2.0} for name in "ab"})
    assert (list(one.read()), list(two.read())) == (["b"], ["a", "b"])
    one.keep({"c": {"warm": 1.0}})
    assert (list(one.read()), list(two.read())) == (["b", "c"], ["b"])
    one.keep({"b": {"warm": 1.0}})
    assert list(one.read()) == ["c", "b"]


def test_no_folder_or_nothing_to_keep_writes_nothing(tmp_path: Path):
    Durations(tmp_path / "none", "one").keep({"cell a": {"warm": 1.0}})
    Durations(tmp_path, "one").keep({})
    assert list(tmp_path.iterdir()) == []


def test_housekeeping_leaves_it(tmp_path: Path):
    Durations(tmp_path, "one").keep({"cell a": {"warm": 1.0}})
    assert look(tmp_path).entries == ()
    prune(tmp_path, 0)
    assert (tmp_path / FILE).exists()
