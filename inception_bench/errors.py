"""The errors that a user can cause. Each is one line: what was given, what is wanted, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class UsageError(ValueError):
    """Something that was asked for cannot be done; the message says what can.

    Data sources, backends and packages with models raise it for whatever a user can put right.
    """


class OptionError(UsageError):
    """A usage error about the value of an option, whose message depends on what the option is called.

    An option is a field (``batch_sizes``), which pytest and the command line call by different names; a caller from
    Python uses the field. ``words`` makes the message from a function that turns a field into its name. ``str()`` of
    the error uses the fields' own names.
    """

    def __init__(self, words: Callable[[Callable[[str], str]], str]):
        self._words = words
        super().__init__(words(lambda field: field))

    def told(self, named: Callable[[str], str]) -> str:
        """The message in the words of a front end, which knows how each field is ``named`` there."""
        return self._words(named)


def told(error: UsageError, named: Callable[[str], str]) -> str:
    """The message of any usage error in the words of a front end; ``named`` is as in ``OptionError.told``."""
    return error.told(named) if isinstance(error, OptionError) else str(error)


class InputSizeError(UsageError):
    """An input size below the least that a network takes."""


class EntryPointError(UsageError):
    """An entry point of an installed package leads nowhere: mostly, the package was changed and not installed again."""

    def __init__(self, point: EntryPoint, why: Exception):
        package = point.dist.name if point.dist is not None else "its package"
        super().__init__(f"entry point {point.name!r} of group {point.group}: {why}; install {package} again")


class UnknownNameError(UsageError):
    """A name that is not in a table; the message lists the known ones and the nearest."""

    def __init__(self, kind: str, given: str, known: Iterable[str]):
        names = list(known)
        near = [repr(name) for name in difflib.get_close_matches(given, names, n=3, cutoff=0.5)]
        near = near or [repr(name) for name in difflib.get_close_matches(given, names, n=1, cutoff=0.3)]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"unknown {kind} {given!r}{hint} (known: {', '.join(names)})")
