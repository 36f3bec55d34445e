"""Rules that keep the code as it is meant: layers, what imports torch, size of files, lint, names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from inception_bench.backends import registry
from inception_bench.models import catalogue
from inception_bench.models.table import Table
from tests.conftest import ROOT

PACKAGE = ROOT / "inception_bench"
# Each name may import itself and what stands to its left; data and train stand beside
# backends: they use its cache of artifacts, and it uses nothing of theirs.
LAYERS = (
    "errors",
    "atomic",
    "wire",
    "service",
    "spec",
    "models",
    "backends",
    "data",
    "train",
    "measure",
    "records",
    "claims",
    "gate",
    "report",
    "top",
)
# The programs that the coordinator starts by name, and what stands on top of everything.
PROGRAMS = {"worker": "data", "builder": "train", "trainer": "measure"}
TOP = {
    "plugin",
    "session",
    "fixtures",
    "parameters",
    "items",
    "against",
    "claim_items",
    "pair_items",
    "claims_command",
    "watch",
    "run",
    "clock",
    "cli",
    "cli_gate",
    "__main__",
    "__init__",
}


def layer_of(module: str) -> str:
    part = module.split(".")[1] if "." in module else "__init__"
    return "top" if part in TOP else PROGRAMS.get(part, part)


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {
                f"{node.module}.{alias.name}" if node.module == "inception_bench" else node.module
                for alias in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "inception_bench"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    own = layer_of("inception_bench." + str(path.relative_to(PACKAGE)).removesuffix(".py").replace("/", "."))
    for name in imports_of(path) - {"inception_bench"}:
        used = layer_of(name)
        if name == "inception_bench.__version__":
            continue
        assert LAYERS.index(used) <= LAYERS.index(own), f"{own} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("program", ["worker", "service", "wire", "backends/base", "backends/onnxruntime"])
def test_worker_needs_only_the_standard_library_and_numpy(program):
    tree = ast.parse((PACKAGE / f"{program}.py").read_text(), feature_version=(3, 10))
    roots = set()
    for node in tree.body:  # imports at the top; engines are imported inside functions
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots.add(node.module.split(".")[0])
    assert roots <= sys.stdlib_module_names | {"numpy", "inception_bench"}


@pytest.mark.parametrize(
    "program",
    [
        "import inception_bench",
        "import inception_bench; inception_bench.list_models(); inception_bench.complexity('inception_v3')",
        "import sys, runpy; sys.argv[1:] = ['--help']; runpy.run_module('inception_bench')",
        "import pytest; pytest.main(['-p', 'inception_bench.plugin', '--collect-only', '-q', 'suites/'])",
        "from inception_bench.train.command import Typed, make_job; make_job('googlenet', 'digits', 'quick', Typed())",
        "from inception_bench.data import sets; from inception_bench.models.googlenet import HALF; "
        "sets.open_data('digits', 8, HALF)",
        "import inception_bench.worker, inception_bench.backends.onnxruntime, inception_bench.backends.eager",
    ],
)
def test_no_torch_is_imported(program):
    check = "import atexit, sys\natexit.register(lambda: print('torch' in sys.modules, file=sys.stderr))\n"
    done = subprocess.run(
        [sys.executable, "-c", check + program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "False", done.stderr


def test_torch_check_can_fail():
    program = "import atexit, sys, inception_bench\natexit.register(lambda: print('torch' in sys.modules))\n"
    done = subprocess.run(
        [sys.executable, "-c", program + "inception_bench.create_model"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_entry_points_name_the_built_in_tables():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points[registry.GROUP] == registry.BUILT_IN
    for target in points[catalogue.GROUP].values():
        table = registry.resolve(target)
        assert isinstance(table, Table)
        assert table in catalogue.BUILT_IN
    assert len(points[catalogue.GROUP]) == len(catalogue.BUILT_IN)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_lint(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_types():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
