"""How long the items of earlier runs took, kept beside the artifacts, so that the next run can say how long it takes.

The names of items are those of every revision, and so a new one can still learn from an old one's times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_bench.store.atomic import replace_text
from inception_bench.store.lock import alone_in

FILE = "durations.json"
VERSION = 1
# Of each item the newest duration is kept; of all machines and profiles together, this many items, the newest.
MOST_ITEMS = 10_000
COLD, WARM = "cold", "warm"
# By an item's name: seconds where it had to build something (``cold``) and where it had not (``warm``).
Took = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Durations:
    """The durations of one place: a machine with its threads, and a profile. ``root`` is the cache's folder."""

    root: Path
    place: str

    def read(self) -> dict[str, dict[str, float]]:
        """The durations of the place's items, by their names; empty where none are known or can be read."""
        mine = self._stored().get(self.place)
        return mine if isinstance(mine, dict) else {}

    def keep(self, took: Took) -> None:
        """Add what this run's items took. A cache that cannot be written, or that a later revision wrote, stays."""
        if not took or not self.root.is_dir():
            return
        with suppress(OSError), alone_in(self.root):
            stored = self._stored()
            mine = {**self.read()}
            for name, seconds in took.items():
                # Taken out and put in again: the newest stand last.
                mine[name] = {**mine.pop(name, {}), **{state: round(each, 3) for state, each in seconds.items()}}
            stored.pop(self.place, None)
            stored[self.place] = mine
            if self._is_readable():
                replace_text(self._path, json.dumps({"version": VERSION, "took_s": _newest(stored)}, indent=0))

    @property
    def _path(self) -> Path:
        return self.root / FILE

    def _is_readable(self) -> bool:
        """False for a file of a later version; one that is damaged is replaced."""
        return bool(self._content().get("version", VERSION) == VERSION)

    def _stored(self) -> dict[str, Any]:
        took = self._content().get("took_s") if self._is_readable() else None
        return took if isinstance(took, dict) else {}

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _newest(stored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The last ``MOST_ITEMS`` items over all places, each place and item in its order."""
    entries = [(place, name) for place, items in stored.items() for name in items]
    kept: dict[str, dict[str, Any]] = {}
    for place, name in entries[-MOST_ITEMS:]:
        kept.setdefault(place, {})[name] = stored[place][name]
    return kept
