"""The errors that a user can cause. Each is one line: what was given, what is wanted, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """Something that was asked for cannot be done; the message says what can."""


class InputSizeError(UsageError):
    """An input size below the least that a network takes."""


class UnknownNameError(UsageError):
    """A name that is not in a table; the message lists the known ones and the nearest."""

    def __init__(self, kind: str, given: str, known: Iterable[str]):
        names = list(known)
        near = [repr(name) for name in difflib.get_close_matches(given, names, n=3, cutoff=0.5)]
        near = near or [repr(name) for name in difflib.get_close_matches(given, names, n=1, cutoff=0.3)]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"unknown {kind} {given!r}{hint} (known: {', '.join(names)})")
