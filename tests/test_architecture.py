"""Rules that keep the code as it is meant: layers, what imports torch, size of files, lint, names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "inception_bench"
# Each room may import itself and what stands to its left. What lies in the package's own folder stands on top of all:
# the programs that are started by name.
ROOMS = (
    "errors",
    "store",
    "processes",
    "machine",
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
    "cli",
    "plugin",
    "programs",
)
# The same inside the rooms that have floors; a name that is not listed is a file on the first floor.
FLOORS = {
    "claims": ("", "methods"),
    "models": ("", "tables", "public", "complexity", "describe", "weights"),
    "plugin": (
        "clock",
        "timing",
        "watch",
        "run",
        "against",
        "wanted",
        "session",
        "items",
        "parameters",
        "fixtures",
        "hooks",
        "__init__",
    ),
    "gate": ("", "stored", "duet", "power", "coverage"),
}


def room_of(module: str) -> str:
    part = module.split(".")[1]
    return part if part in ROOMS else "programs"


def floor_of(room: str, module: str) -> int:
    parts = module.split(".")
    part = parts[2] if len(parts) > 2 else "__init__"
    return FLOORS[room].index(part if part in FLOORS[room] else FLOORS[room][0])


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if is_module(name) else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "inception_bench"}


def module_of(path: Path) -> str:
    return "inception_bench." + str(path.relative_to(PACKAGE)).removesuffix(".py").replace("/", ".")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    module = module_of(path)
    room = room_of(module)
    for name in imports_of(path) - {"inception_bench", "inception_bench.__version__"}:
        used = room_of(name)
        assert ROOMS.index(used) <= ROOMS.index(room), f"{module} imports {name}"
        if used == room and room in FLOORS:
            assert floor_of(room, name) <= floor_of(room, module), f"{module} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize(
    "program",
    [
        "worker",
        "backends/base",
        "backends/onnxruntime",
        "backends/refusal",
        *(f"machine/{path.stem}" for path in (PACKAGE / "machine").glob("*.py")),
        *(f"processes/{path.stem}" for path in (PACKAGE / "processes").glob("*.py")),
    ],
)
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
        "import sys, runpy; sys.argv[1:] = ['run', '--help']; runpy.run_module('inception_bench')",
        "import pytest; pytest.main(['-p', 'inception_bench.plugin', '--collect-only', '-q', 'suites/'])",
        "from inception_bench.train.command import Typed, make_job; make_job('googlenet', 'digits', 'quick', Typed())",
        "from inception_bench.data import sets; from inception_bench.models.tables.googlenet import HALF; "
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
        [sys.executable, "-c", program + "inception_bench.create_model('googlenet', width_mult=0.1)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_lint(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_types():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
