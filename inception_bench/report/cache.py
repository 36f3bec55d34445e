"""What lies in the cache and what was removed from it, for a terminal and as JSON."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from inception_bench.errors import UsageError
from inception_bench.report.text import age, bytes_text
from inception_bench.store.cache import default_root
from inception_bench.store.housekeeping import NO_LIMIT, VARIABLE, Entry, Held, Limit, Pruned, look, read_limit


@dataclass(frozen=True)
class KindRow:
    """All entries of a kind. Bytes that several kinds share are of the first; ages are seconds since the last use."""

    kind: str
    entries: int
    in_use: int
    size_bytes: int
    newest_age_s: float
    oldest_age_s: float


def kind_rows(held: Held, now: float) -> list[KindRow]:
    """A row a kind, by its name."""
    rows = []
    counted: set[tuple[int, int]] = set()
    for kind in sorted({entry.kind for entry in held.entries}):
        own = [entry for entry in held.entries if entry.kind == kind]
        files = {inode: size for entry in own for inode, size in entry.files.items() if inode not in counted}
        counted |= files.keys()
        ages = [max(now - entry.last_used, 0.0) for entry in own]
        used = sum(entry.in_use for entry in own)
        rows.append(KindRow(kind, len(own), used, sum(files.values()), min(ages), max(ages)))
    return rows


def cache_json(held: Held, limit: Limit, now: float) -> dict[str, Any]:
    """All of it as one JSON document; no limit is null."""
    return {
        "folder": str(held.root.absolute()),
        "limit_bytes": limit.size_bytes,
        "limit_from": limit.source,
        "total_bytes": held.size_bytes,
        "entries": len(held.entries),
        "kinds": [asdict(row) for row in kind_rows(held, now)],
    }


def cache_text(held: Held, limit: Limit, now: float, *, width: int = 110) -> str:
    """A line a kind, and below it the folder, the total and the limit."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("kind")
    for head in ("entries", "in use", "size", "last used", "longest unused"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in kind_rows(held, now):
        ages = (f"{age(row.newest_age_s)} ago", f"{age(row.oldest_age_s)} ago")
        table.add_row(row.kind, str(row.entries), str(row.in_use or ""), bytes_text(row.size_bytes), *ages)
    stream = io.StringIO()
    if held.entries:
        Console(file=stream, width=width).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*lines, _line(held, limit)])


def cache_line() -> str:
    """The cache's folder, size and limit in one line; of a limit that is none, what is wrong with it."""
    try:
        return _line(look(default_root()), read_limit())
    except UsageError as error:
        return f"cache: {default_root().absolute()}; {error}"


def pruned_json(pruned: Pruned, now: float) -> dict[str, Any]:
    """What was removed, entry by entry, and what is left, as one JSON document."""
    removed = [
        {
            "kind": entry.kind,
            "entry": entry.path.relative_to(pruned.left.root).as_posix(),
            "age_s": max(now - entry.last_used, 0.0),
        }
        for entry in pruned.removed
    ]
    return {
        "folder": str(pruned.left.root.absolute()),
        "wanted_bytes": pruned.wanted_bytes,
        "removed": removed,
        "freed_bytes": pruned.freed_bytes,
        "left_bytes": pruned.left.size_bytes,
        "left_in_use_bytes": pruned.used_bytes,
    }


def pruned_line(pruned: Pruned) -> str:
    """What was removed, by kind, and what is left, in one line."""
    removed = f"removed {_counted(pruned.removed)}, {bytes_text(pruned.freed_bytes)}" if pruned.removed else ""
    left = f"{bytes_text(pruned.left.size_bytes)} left in {pruned.left.root.absolute()}"
    why = f"more than {bytes_text(pruned.wanted_bytes)}: {bytes_text(pruned.used_bytes)} are in use now"
    return "cache: " + "; ".join([removed or "nothing removed", left, *([] if pruned.reached else [why])])


def _line(held: Held, limit: Limit) -> str:
    most = "no limit" if limit.size_bytes is None else f"limit {bytes_text(limit.size_bytes)}"
    source = f"{VARIABLE}={NO_LIMIT}" if limit.size_bytes is None else limit.source
    return f"cache: {held.root.absolute()}, {bytes_text(held.size_bytes)}, {most} ({source})"


def _counted(entries: Iterable[Entry]) -> str:
    """``3 entries (2 weights, 1 onnxruntime)``."""
    kinds = Counter(entry.kind for entry in entries)
    total = kinds.total()
    named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{total} {'entry' if total == 1 else 'entries'} ({named})"
