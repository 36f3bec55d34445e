"""``network.json``: what is needed to build a stored network again. Imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inception_bench.store.versions import check_version

DESCRIPTION = "network.json"
VERSION = 1


def write_description(folder: Path, fields: dict[str, Any]) -> None:
    """Write address, width multiplier, classes and changes, under the file's version."""
    (folder / DESCRIPTION).write_text(json.dumps({"version": VERSION, **fields}))


def read_description(folder: Path) -> dict[str, Any]:
    """What was written. Raises UsageError for a description of a later version."""
    path = folder / DESCRIPTION
    description: dict[str, Any] = json.loads(path.read_text())
    check_version(path, description.get("version"), VERSION, "make that network again with this one")
    return description
