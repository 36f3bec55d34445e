"""From JSON to a dataclass, by the standard library alone: records are read on hosts that have little else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def read_known(kind: type[T], data: Mapping[str, Any], **read: Any) -> T:
    """The dataclass ``kind`` from what of ``data`` it has fields for: a later version may have written more.

    ``read`` are the fields that JSON holds in another form, already read. Raises TypeError where a field without a
    default is missing.
    """
    # ``kind`` is a dataclass, which a type variable cannot say.
    names = {field.name for field in fields(kind) if field.init}  # type: ignore[arg-type]
    return kind(**{**{name: value for name, value in data.items() if name in names}, **read})
