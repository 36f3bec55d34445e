"""From JSON to a dataclass, by the standard library alone: records are read on hosts that have little else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def known_fields(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``data`` for which the dataclass ``kind`` has fields; a later version of the package may write more."""
    names = {field.name for field in fields(kind) if field.init}
    return {name: value for name, value in data.items() if name in names}
