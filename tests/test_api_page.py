"""docs/api.md tells the truth: its examples run, and it names every function, argument and field, and no other."""

from __future__ import annotations

import doctest
import inspect
import re
from dataclasses import fields

import pytest

import inception_bench
from inception_bench.models.complexity import Complexity, RowCost
from inception_bench.models.modules import STYLE, ModuleCost
from inception_bench.models.weights.checkpoint import Loaded
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
RETURNED = (Complexity, RowCost, ModuleCost, Loaded)


def signature(name: str) -> str:
    """A function as the page heads its section: arguments and defaults without types."""
    shown = inspect.signature(getattr(inception_bench, name))
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in shown.parameters.values()]
    text = str(shown.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return name + text.replace(repr(STYLE), "STYLE")


def first_column(table: str) -> list[str]:
    """The names in the first column of a Markdown table, which begins with its head."""
    rows = table.split("\n\n")[0].splitlines()[2:]
    return [re.findall(r"^\| `(\w+)` \|", row)[0] for row in rows]


def test_every_example_gives_what_the_page_shows():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "docs/api.md", None, None)
    assert len(example.examples) > 20
    complaints: list[str] = []
    found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=complaints.append)
    assert found.failed == 0, "".join(complaints)


def test_every_public_name_has_its_section_and_its_whole_signature():
    headings = re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(signature(name) for name in inception_bench.__all__)


@pytest.mark.parametrize("returned", RETURNED, ids=lambda returned: returned.__name__)
def test_every_field_of_what_is_returned_is_explained(returned: type):
    table = re.split(rf"\| field of (?:the returned )?`{returned.__name__}`", PAGE)[1]
    assert first_column(table) == [field.name for field in fields(returned)]


def test_every_change_is_explained():
    table = PAGE.split("### `Changes(")[1].split("| field |")[1]
    assert first_column(table) == [field.name for field in fields(inception_bench.Changes)]
