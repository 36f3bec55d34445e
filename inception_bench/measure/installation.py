"""An interpreter with a copy of this package: by default the running one, or another to compare it with."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installation:
    """``home`` is the folder that holds the package's own folder; None: what ``python`` itself finds is used.

    ``identity`` is part of the key of all that it builds; empty for the running one, whose sources are part already.
    """

    python: str = sys.executable
    home: Path | None = HOME
    identity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """Where its processes start. ``python -m`` puts that folder first on the path, before all others."""
        if self.home == HOME:
            return None  # as the coordinator
        return Path(self.python).resolve().parent if self.home is None else self.home

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment of its processes: this one's, with its own copy of the package importable, and no other."""
        inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        kept = inherited if self.home == HOME else [entry for entry in inherited if Path(entry).resolve() != HOME]
        path = ([] if self.home is None else [str(self.home)]) + kept
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **extra}


HERE = Installation()
