"""The tables as text: short, whole, and in the notation."""

import ast
from pathlib import Path

import pytest

from inception_bench.models.notation import format_branch, parse_branch
from inception_bench.models.printed import parse_printed
from inception_bench.models.public import BUILT_IN, NINE

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "inception_bench" / "models" / "tables"


SURROUNDINGS = ("Paper", "Preprocessing", "Style", "Table", "replace", "define")


def table_lines(path: Path) -> int:
    """Lines that state a table: its rows, and what makes them (module helpers, named rows), not what surrounds it.

    Counted are the lines of every ``rows=`` argument, of functions without their docstrings, and of
    statements that build rows by name; not counted are papers, accuracy, styles, imports and text.
    """
    lines: set[int] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            lines.update(range(node.lineno, node.end_lineno + 1))
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for part in rows_of(node.value):
                lines.update(range(part.lineno, part.end_lineno + 1))
    return len(lines)


def rows_of(value: ast.expr) -> list[ast.expr]:
    """The part of a statement's value that states rows."""
    if not isinstance(value, ast.Call):
        return [value]
    rows = [keyword.value for keyword in value.keywords if keyword.arg == "rows"]
    name = getattr(value.func, "id", getattr(value.func, "attr", ""))
    return rows if name in SURROUNDINGS else [value]


def test_the_tables_of_the_nine_are_under_250_lines():
    counts = {name: table_lines(MODELS / f"{name}.py") for name in NINE}
    assert all(counts.values())
    assert sum(counts.values()) < 250, counts


def test_files_are_short():
    long = {path.name: n for path in MODELS.glob("*.py") if (n := len(path.read_text().splitlines())) >= 300}
    assert long == {}


@pytest.mark.parametrize("table", BUILT_IN, ids=lambda table: table.address)
def test_branches_are_read_back_from_what_is_written(table):
    for row in table.rows.values():
        for branch in row.branches:
            assert parse_branch(format_branch(branch)) == branch


@pytest.mark.parametrize("line", ["3x3", "max3x3:4", "3x3C:4", "3x3T:4", "7:4", "avg3x3L", "lrm"])
def test_what_is_no_step_is_shown(line):
    with pytest.raises(ValueError, match=line):
        parse_branch(line)


def test_printed_figures():
    found = parse_printed("28x28x256 159K 128M x3")
    assert (found.output, found.params, found.macs, found.rows) == ((28, 28, 256), 159 * 1024, 128e6, 3)
    with pytest.raises(ValueError, match="'159' in '159'"):
        parse_printed("159")
