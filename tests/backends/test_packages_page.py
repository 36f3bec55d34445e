"""docs/backends.md shows two whole packages, which are installed and run here, and all that a package may have."""

from __future__ import annotations

import csv
import re
from dataclasses import fields
from pathlib import Path

import pytest

from inception_bench.backends.base import Backend, Compiler, Exporter, Network, Session, Setup
from tests.backends.test_runs import start, suite
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "backends.md").read_text()
PACKAGES = (ROOT / "tests" / "example_backend", ROOT / "tests" / "example_model")
FILES = [path for package in PACKAGES for path in sorted(package.iterdir()) if path.suffix in (".py", ".toml")]
LANGUAGES = {".py": "python", ".toml": "toml"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def site(cache: Path) -> Path:
    """A folder in which both packages are installed."""
    place = cache / "site"
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(place)]
    installed = start(cache, *pip, *map(str, PACKAGES))
    assert installed.returncode == 0, installed.stderr
    return place


def explained(head: str) -> set[str]:
    """The names in the first column of the table whose head begins so; arguments are left out."""
    table = PAGE.split(f"| {head} |")[1].split("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)", table, re.MULTILINE))


def members(protocol: type) -> set[str]:
    """The attributes and methods that a protocol asks for."""
    names = {*protocol.__annotations__, *(name for name, value in vars(protocol).items() if callable(value))}
    return {name for name in names if not name.startswith("_")}


def asked_for(owner: str) -> set[str]:
    """What the package looks for in a backend or a session without asking that it is there."""
    sources = "".join(path.read_text() for path in (ROOT / "inception_bench").rglob("*.py"))
    return set(re.findall(rf'(?:get|has)attr\((?:[\w.]*\.)?{owner}, "(\w+)"', sources))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_page_shows_the_packages_as_they_are(path: Path):
    assert f"```{LANGUAGES[path.suffix]}\n{path.read_text()}```" in PAGE


def test_the_network_of_one_package_runs_on_the_runtime_of_the_other(cache: Path, site: Path, tmp_path: Path):
    options = ("--inception-models=slim_inception,slim_inception@averaged", "--inception-backends=scripted")
    done = suite(cache, tmp_path / "results", *options, path=(site,))
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "results" / "leaderboard.csv").open(newline="") as stream:
        board = list(csv.DictReader(stream))
    assert {(row["model"], row["definition"], row["backend"], row["outcome"]) for row in board} == {
        ("slim_inception", definition, "scripted", "ok") for definition in ("", "averaged")
    }
    assert all(float(row["speedup_vs_eager"]) > 0 for row in board)


def test_the_examples_of_the_page_give_what_it_shows(cache: Path, site: Path, tmp_path: Path):
    """Its figures by hand: the stem is 3x3x3x16 = 432 weights on 32x32 cells, the module 256 + 256 + 3456 + 128.

    With two values a channel for each batch norm, params are 432 + 32 + 4096 + 128 + 49 x 1000, MACs
    (432 + 4096) x 1024 + 48 x 1000.
    """
    (example,) = re.findall(r"```python\n(>>> .*?)```", PAGE, re.DOTALL)
    assert f"({432 + 32 + 4096 + 128 + 49 * 1000}, {(432 + 4096) * 1024 + 48 * 1000})" in example
    (tmp_path / "example.txt").write_text(example)
    done = start(cache, "doctest", str(tmp_path / "example.txt"), path=(site,))
    assert done.returncode == 0, done.stdout + done.stderr
    described = start(cache, "inception_bench", "describe", "slim_inception", path=(site,))
    assert described.returncode == 0, described.stderr
    assert "A slim Inception" in described.stdout


def test_every_member_of_a_backend_and_of_a_session_is_explained():
    assert explained("member of `Backend`") == members(Backend)
    optional = asked_for("backend") | members(Exporter) | members(Compiler)
    assert explained("optional member") == optional - members(Backend)
    assert explained("member of `Session`") == members(Session)
    assert explained("optional member of a session") == asked_for("session")


@pytest.mark.parametrize("given", [Setup, Network], ids=lambda given: given.__name__)
def test_every_field_of_what_a_backend_is_given_is_explained(given: type):
    assert explained(f"field of `{given.__name__}`") == {field.name for field in fields(given)}
