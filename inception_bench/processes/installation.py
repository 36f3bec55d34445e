"""An interpreter with a copy of this package: by default those that run now, or others to compare with them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
# Python puts the present folder first on its path: in a checkout, its sources would be imported instead of those of
# the installation. So the present folder, an empty entry of the path, is taken out.
_NOT_FROM_HERE = "import sys; sys.path[:] = filter(None, sys.path); "


@dataclass(frozen=True)
class Installation:
    """The interpreter ``python`` and the copy of this package that it is to import.

    ``home`` is the folder that contains the package's folder; with None ``python`` imports the copy that it finds
    itself. ``identity`` is part of the cache keys of everything that the installation builds. It is empty for the
    installation that runs now, as hashes of its sources are part of those keys already.
    """

    python: str = sys.executable
    home: Path | None = HOME
    identity: Mapping[str, Any] = field(default_factory=dict)

    def command(self, program: str, *words: str) -> list[str]:
        """The command that runs the Python source text ``program`` with the arguments ``words``.

        The present folder is not on its import path.
        """
        return [self.python, "-c", _NOT_FROM_HERE + program, *words]

    def module_command(self, module: str, *words: str) -> list[str]:
        """The command that does the same as ``python -m module``, without the present folder on the import path."""
        return self.command(f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)", *words)

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of its processes: those of this process and ``extra``.

        ``PYTHONPATH`` is changed so that the installation's own copy of the package is imported, and no other.
        """
        inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        kept = inherited if self.home == HOME else [entry for entry in inherited if Path(entry).resolve() != HOME]
        path = ([] if self.home is None else [str(self.home)]) + kept
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **extra}


HERE = Installation()
