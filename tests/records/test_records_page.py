"""docs/records.md has a line for every field of every record, with its type, and none for what no record has."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.records.made import write_all

PAGE = (ROOT / "docs" / "records.md").read_text()
PLAIN = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}
PUBLISHED = sorted((ROOT / "results").glob("*/"))


def sections() -> dict[str, str]:
    """The text below each heading, by heading."""
    parts = [part.partition("\n") for part in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)[1:]]
    return {heading: text for heading, _, text in parts}


def read_tables() -> dict[str, dict[str, str]]:
    """The page's tables: for each object the type of each field."""
    tables = {}
    for name, text in sections().items():
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", text, re.MULTILINE)
        if rows:
            tables[name] = dict(rows)
            assert len(rows) == text.count("\n| `") == len(tables[name]), f"{name}: a line that cannot be read"
    return tables


def read_bases() -> dict[str, str]:
    """The object that another one has ``All fields of``, by the other's name."""
    found = {name: re.search(r"All fields of \[(\w+)\]\(#\1\)", text) for name, text in sections().items()}
    return {name: match.group(1) for name, match in found.items() if match}


@dataclass
class Page:
    """The page as a description that values are held against; what of it was met with is kept in ``met``."""

    tables: dict[str, dict[str, str]] = field(default_factory=read_tables)
    bases: dict[str, str] = field(default_factory=read_bases)
    met: set[tuple[str, str]] = field(default_factory=set)

    def faults(self, value: Any, shown: str, where: str) -> list[str]:
        """Where a value is not what the page says: a sentence each."""
        ways = shown.split(" or ")
        if value == {} and "empty" in ways:
            return []
        for way in ways:
            if type(value) in PLAIN.get(way, ()):
                return []
            if way.startswith("list of ") and isinstance(value, list):
                inner = way.removeprefix("list of ")
                return [fault for each in value for fault in self.faults(each, inner, f"{where}[]")]
            if way.startswith("map of ") and isinstance(value, dict):
                inner = way.removeprefix("map of ")
                return [fault for each in value.values() for fault in self.faults(each, inner, f"{where}{{}}")]
            if way.startswith("[") and isinstance(value, dict):
                return self.faults_of_object(value, re.findall(r"^\[([\w-]+)\]\(#\1\)$", way)[0], where)
        return [f"{where}: {str(value)[:40]!r} is no {shown}"]

    def faults_of_object(self, value: dict[str, Any], name: str, where: str) -> list[str]:
        """The same of an object of the table ``name``."""
        base = self.bases.get(name)
        owners = {key: owner for owner in (base, name) if owner for key in self.tables[owner]}
        found = [f"{where}.{key}: the page has no line for it" for key in value if key not in owners]
        for key, owner in owners.items():
            shown = self.tables[owner][key]
            if key in value:
                self.met.add((owner, key))
                shown = f"[{value['kind']}](#{value['kind']})" if shown == "by kind" else shown
                found += self.faults(value[key], shown, f"{where}.{key}")
            elif not shown.endswith(" or absent"):
                found.append(f"{where}.{key}: missing")
        return found

    def faults_of_folder(self, folder: Path) -> list[str]:
        """The same of all records of a results folder, and of its ``environment.json``."""
        found = []
        for record in records_of(folder):
            assert record["kind"] in self.tables, f"the page has no section {record['kind']}"
            found += self.faults_of_object(record, "record", record["kind"])
        environment = folder / "environment.json"
        if environment.exists():
            found += self.faults_of_object(json.loads(environment.read_text()), "environment-file", environment.name)
        return list(dict.fromkeys(found))


def records_of(folder: Path) -> Iterator[dict[str, Any]]:
    for path in folder.glob("records.jsonl*"):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        yield from map(json.loads, text.splitlines())


def check(*folders: Path) -> None:
    """Fail with all that the page says otherwise."""
    faults = [fault for folder in folders for fault in Page().faults_of_folder(folder)]
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Folders with records of every kind, as the package writes them today."""
    with pytest.MonkeyPatch.context() as patch:
        yield write_all(tmp_path_factory.mktemp("written"), patch)


def test_the_page_lists_its_kinds_and_links_to_its_tables():
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= set(read_tables())
    kinds = re.search(r"^\| `kind` .*$", PAGE, re.MULTILINE)
    listed = re.findall(r"`(\w+)`", kinds.group().split(" | ")[2])
    section = PAGE.split("## What a record of each kind holds")[1].split("\n## ")[0]
    assert sorted(listed) == sorted(re.findall(r"^### (\w+)$", section, re.MULTILINE))


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_published_results_are_as_the_page_says(folder: Path):
    check(folder)


def test_records_of_today_are_as_the_page_says(written: list[Path]):
    check(*written)


@pytest.mark.slow
@pytest.mark.parametrize("run", ["small_run", "trained_run", "faulty_run"])
def test_whole_runs_are_as_the_page_says(run: str, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(run).folder
    assert next(records_of(folder))
    check(folder)


def test_no_line_is_of_a_field_that_no_record_of_today_has(written: list[Path]):
    page = Page()
    for folder in written:
        page.faults_of_folder(folder)
    said = {(name, key) for name, table in page.tables.items() for key in table}
    assert said - page.met == set()
