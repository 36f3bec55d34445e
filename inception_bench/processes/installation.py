"""An interpreter with a copy of this package: by default the running one, or another to compare it with."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
# Python puts the present folder first on its path. In a checkout that would be its sources, whatever is installed.
_NOT_FROM_HERE = "import sys; sys.path[:] = filter(None, sys.path); "


@dataclass(frozen=True)
class Installation:
    """``home`` is the folder that holds the package's own folder; None: what ``python`` itself finds is used.

    ``identity`` is part of the key of all that it builds; empty for the running one, whose sources are part already.
    """

    python: str = sys.executable
    home: Path | None = HOME
    identity: Mapping[str, Any] = field(default_factory=dict)

    def command(self, program: str, *words: str) -> list[str]:
        """What runs ``program``, a Python text, with ``words`` as arguments: only its own packages are on the path."""
        return [self.python, "-c", _NOT_FROM_HERE + program, *words]

    def module_command(self, module: str, *words: str) -> list[str]:
        """The same for ``python -m module``."""
        return self.command(f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)", *words)

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment of its processes: this one's, with its own copy of the package importable, and no other."""
        inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        kept = inherited if self.home == HOME else [entry for entry in inherited if Path(entry).resolve() != HOME]
        path = ([] if self.home is None else [str(self.home)]) + kept
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **extra}


HERE = Installation()
