"""What the package says of itself, and how strict its tools are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib

import pytest

import inception_bench
from tests.conftest import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]


def test_the_version_stands_in_one_place():
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert SETTINGS["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "inception_bench.__version__"}
    # A literal: setuptools then reads it from the text and imports nothing.
    tree = ast.parse((ROOT / "inception_bench" / "__init__.py").read_text())
    (value,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    assert value == inception_bench.__version__
    texts = [path.read_text() for path in [ROOT / "pyproject.toml", *(ROOT / "inception_bench").rglob("*.py")]]
    assert sum(len(re.findall(rf'version\w* = "{re.escape(value)}"', text)) for text in texts) == 1


def test_the_pythons_are_the_same_everywhere():
    pythons = [f"3.{minor}" for minor in (11, 12, 13, 14)]
    prefix = "Programming Language :: Python :: 3."
    assert [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if line.startswith(prefix)] == pythons
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert SETTINGS["tool"]["mypy"]["python_version"] == pythons[0]
    assert SETTINGS["tool"]["ruff"]["target-version"] == "py" + pythons[0].replace(".", "")
    environments = re.search("env_list = (.*)", (ROOT / "tox.ini").read_text()).group(1)
    assert environments.split(", ") == ["lint", *("py" + python.replace(".", "") for python in pythons)]
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    assert re.search(r"python: \[(.*)\]", workflow).group(1) == ", ".join(f'"{python}"' for python in pythons)


def test_types_are_checked_strictly():
    assert SETTINGS["tool"]["mypy"]["strict"] is True


@pytest.mark.parametrize(
    ("test", "options", "said"),
    [
        ("@pytest.mark.solw\ndef test(): pass", [], "'solw' not found in `markers`"),
        ("def test(): pass", ["-o", "solw=1"], "Unknown config option: solw"),
        ("@pytest.mark.xfail\ndef test(): pass", [], "XPASS(strict)"),
    ],
)
def test_pytest_is_strict(tmp_path, test, options, said):
    (tmp_path / "test_user.py").write_text(f"import pytest\n{test}\n")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options, "test_user.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
