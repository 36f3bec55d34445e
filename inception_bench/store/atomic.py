"""Files that are replaced as a whole: a reader never sees half a file, and a killed writer leaves the old one."""

from __future__ import annotations

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write ``text`` beside ``path`` and let it take the old file's place. Raises OSError where that cannot be."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)
