"""What a type checker sees of the package from a user's own project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_users_file_is_checked_strictly(tmp_path):
    shutil.copy(Path(__file__).with_name("public_api.py"), tmp_path)
    # mypy reads a folder of the interpreter's path as it reads site-packages: types count only beside a py.typed.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={ROOT / '.mypy_cache' / 'user'}", "public_api.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_marker_of_types_is_shipped():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "py.typed" in settings["package-data"]["inception_bench"]
    assert (ROOT / "inception_bench" / "py.typed").is_file()
