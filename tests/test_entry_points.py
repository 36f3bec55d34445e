"""What is built in is declared once, and other packages add to it by the same two groups."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inception_bench.backends import registry
from inception_bench.errors import UsageError
from inception_bench.models import public
from inception_bench.models.table import Table
from tests.conftest import ROOT

POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
# A module with networks of its own, and with an engine that is built in, by other names.
NETWORKS = """
from inception_bench.models.tables.googlenet import GOOGLENET
ONE, TWO = GOOGLENET.define("one", "the same"), GOOGLENET.define("two", "the same")
BOTH = [ONE, TWO]
"""
ENGINES = """
from inception_bench.backends.eager import BACKEND as ONE
MORE = {"second": "guests:ONE", "third": "guests:ONE"}
CLASH = {"eager": "guests:ONE"}
"""
Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes a package known whose ``entry_points.txt`` is given."""
    caches = (registry.backends.cache_clear, public.tables.cache_clear)

    def put(points: str) -> None:
        facts = tmp_path / "guests-1.0.dist-info"
        facts.mkdir()
        (tmp_path / "guests.py").write_text(NETWORKS + ENGINES)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: guests\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(tmp_path))
        for clear in caches:
            clear()

    yield put
    sys.modules.pop("guests", None)
    monkeypatch.undo()
    for clear in caches:
        clear()


@pytest.mark.parametrize("room", [registry, public])
def test_the_packages_own_entry_point_names_the_table_that_is_read(room):
    assert POINTS[room.GROUP] == {room.OWN.name: room.OWN.value}
    assert room.OWN.group == room.GROUP
    assert room.OWN.load() is room.BUILT_IN


def test_built_ins_come_first_and_in_the_order_of_their_tables():
    assert list(registry.backends())[: len(registry.BUILT_IN)] == list(registry.BUILT_IN)
    assert list(public.tables().values())[: len(public.BUILT_IN)] == list(public.BUILT_IN)
    assert all(isinstance(table, Table) for table in public.BUILT_IN)
    assert {name: found.target for name, found in registry.backends().items()}.items() >= registry.BUILT_IN.items()


def test_a_package_adds_one_by_one_or_a_table(install: Install):
    install(
        "[inception_bench.backends]\nfirst = guests:ONE\nmine = guests:MORE\n[inception_bench.models]\nm = guests:BOTH"
    )
    assert list(registry.backends())[-3:] == ["first", "second", "third"]
    assert registry.find_backend("third").target == "guests:ONE"
    assert list(public.tables())[-2:] == ["googlenet@one", "googlenet@two"]


def test_the_same_object_twice_is_no_second_one(install: Install):
    """As of this package, installed when each of its objects had an entry point of its own."""
    install(
        "[inception_bench.backends]\neager = inception_bench.backends.eager:BACKEND\n"
        "[inception_bench.models]\ngooglenet = inception_bench.models.tables.googlenet:GOOGLENET\n"
        "m = guests:BOTH\nn = guests:TWO"
    )
    assert next(iter(registry.backends())) == "eager"
    assert list(public.tables())[-2:] == ["googlenet@one", "googlenet@two"]


@pytest.mark.parametrize("given", ["eager = guests:ONE", "mine = guests:CLASH"])
def test_a_backend_whose_name_exists_is_refused(install: Install, given: str):
    install(f"[inception_bench.backends]\n{given}")
    value = given.rpartition(" ")[2]
    with pytest.raises(UsageError, match=f"backend 'eager' of entry point '{value}' exists already; rename it"):
        registry.backends()


def test_a_model_whose_name_exists_is_refused(install: Install, tmp_path: Path):
    install("[inception_bench.models]\nmine = guests:AGAIN")
    with (tmp_path / "guests.py").open("a") as stream:
        stream.write('AGAIN = GOOGLENET.define("bn", "another")\n')
    with pytest.raises(
        UsageError, match="model 'googlenet@bn' of entry point 'guests:AGAIN' exists already; rename it"
    ):
        public.tables()


def test_what_is_no_table_is_refused(install: Install):
    install("[inception_bench.models]\nmine = guests:MORE")
    with pytest.raises(UsageError, match=r"'mine' of group inception_bench\.models is no Table"):
        public.tables()


@pytest.mark.parametrize(
    ("group", "value", "read", "why"),
    [
        ("backends", "inception_bench.gone:BACKEND", registry.backends, "No module named 'inception_bench.gone'"),
        ("models", "guests:GONE", public.tables, "module 'guests' has no attribute 'GONE'"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_one_line(install: Install, group, value, read, why):
    """As of a checkout that was updated after it was installed."""
    install(f"[inception_bench.{group}]\nmine = {value}")
    with pytest.raises(UsageError) as raised:
        read()
    assert f"entry point 'mine' of group inception_bench.{group}: {why}; install " in str(raised.value)
    assert str(raised.value).endswith(" again")
