"""What the tests of the gates share."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def burner():
    """Another program, which uses all of one core."""
    process = subprocess.Popen([sys.executable, "-c", "print(1, flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()
