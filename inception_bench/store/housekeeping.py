"""What lies in the cache, and how it is kept small: what was not used for longest goes first.

Only what is surely the cache's own counts and is ever removed, as its folder may be one that holds other things too:
artifacts (a manifest under a hash), the parts of folders that are marked as filled by engines, unfinished things.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from inception_bench.errors import OptionError, UsageError
from inception_bench.store.cache import FILLED, MANIFEST, UNFINISHED, default_root
from inception_bench.store.lease import forget_dead, held, release
from inception_bench.store.lock import alone_in
from inception_bench.store.size import FORMS, parse_size

VARIABLE = "INCEPTION_BENCH_CACHE_LIMIT"
DEFAULT_BYTES = 10_000_000_000
NO_LIMIT = "none"
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Limit:
    """The most that the cache may hold once a run has ended; None is no limit. ``source`` says who set it."""

    size_bytes: int | None
    source: str


@dataclass(frozen=True)
class Entry:
    """One thing in the cache. ``last_used`` is a time of the clock; ``files`` has the size of each file by its inode.

    ``left`` marks what a process that ended was building or removing: it is of no use to anybody.
    """

    kind: str
    path: Path
    last_used: float
    files: dict[tuple[int, int], int]
    in_use: bool
    left: bool = False


@dataclass(frozen=True)
class Held:
    """All that lies in the cache: ``entries`` from the one that was not used for longest."""

    root: Path
    entries: tuple[Entry, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, those with several names once."""
        return size_of(self.entries)


@dataclass(frozen=True)
class Pruned:
    """What was removed, how much that gave back, and what is left of it all."""

    removed: tuple[Entry, ...]
    freed_bytes: int
    wanted_bytes: int
    left: Held

    @property
    def used_bytes(self) -> int:
        """Bytes of what stayed because a live process uses it."""
        return size_of(entry for entry in self.left.entries if entry.in_use)

    @property
    def reached(self) -> bool:
        """Whether no more is left than was wanted."""
        return self.left.size_bytes <= self.wanted_bytes


def read_limit() -> Limit:
    """The limit that is in force. Raises UsageError where the variable holds no size."""
    given = os.environ.get(VARIABLE)
    if not given:
        return Limit(DEFAULT_BYTES, "default")
    if given.strip().lower() == NO_LIMIT:
        return Limit(None, VARIABLE)
    try:
        return Limit(parse_size(given), VARIABLE)
    except ValueError:
        raise UsageError(f"{VARIABLE}={given} is no size; give {FORMS}, or {NO_LIMIT} for no limit") from None


def wanted_size(to: str | None) -> int:
    """How much may stay: ``to``, else the limit. Raises UsageError where that is no size, or there is neither."""
    if to is None:
        limit = read_limit().size_bytes
        if limit is None:
            raise OptionError(lambda named: f"the cache has no limit ({VARIABLE}={NO_LIMIT}); give {named('to')} 2GB")
        return limit
    try:
        return parse_size(to)
    except ValueError:
        raise OptionError(lambda named: f"{named('to')} {to} is no size; give {FORMS}") from None


def size_of(entries: Iterable[Entry]) -> int:
    """Bytes of all their files, those with several names once."""
    files: dict[tuple[int, int], int] = {}
    for entry in entries:
        files |= entry.files
    return sum(files.values())


def look(root: Path) -> Held:
    """What lies in the cache now. A folder that is not there holds nothing."""
    used = held(root)
    entries = (_entry(root, kind, path, used) for kind, path in _things(root))
    return Held(root, tuple(sorted(entries, key=lambda entry: (entry.last_used, entry.path))))


def prune(root: Path, wanted_bytes: int) -> Pruned:
    """Remove what was not used for longest until at most ``wanted_bytes`` are left, and whatever killed processes left.

    What a live process uses stays, so more may be left. Each entry disappears whole. Raises UsageError where the
    folder cannot be written.
    """
    if not root.is_dir():
        return Pruned((), 0, wanted_bytes, Held(root, ()))
    doomed = root / UNFINISHED / uuid.uuid4().hex
    try:
        with alone_in(root):
            forget_dead(root)
            before = look(root)
            removed = tuple(_remove(before, wanted_bytes, doomed))
    except OSError as error:
        raise UsageError(f"cache folder {root} cannot be written ({error.strerror}); ask its owner") from None
    shutil.rmtree(doomed, ignore_errors=True)
    gone = {entry.path for entry in removed}
    left = Held(root, tuple(entry for entry in before.entries if entry.path not in gone))
    return Pruned(removed, before.size_bytes - left.size_bytes, wanted_bytes, left)


def end_run(limit: Limit) -> Pruned | None:
    """At the end of a run: this process uses nothing any more, and the cache is brought under its limit.

    None where nothing was removed: there was no need, there is no limit, or the folder cannot be written.
    """
    root = default_root()
    release(root)
    if limit.size_bytes is None:
        return None
    try:
        pruned = prune(root, limit.size_bytes)
    except UsageError:
        return None
    return pruned if pruned.removed else None


def _remove(before: Held, wanted_bytes: int, doomed: Path) -> Iterator[Entry]:
    """Move what must go to the folder ``doomed``; a file is gone with the last of its names."""
    names = Counter(inode for entry in before.entries for inode in entry.files)
    size = before.size_bytes
    for entry in sorted(before.entries, key=lambda entry: not entry.left):
        if entry.in_use or not (entry.left or size > wanted_bytes):
            continue
        doomed.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # another user's
            entry.path.rename(doomed / uuid.uuid4().hex)
            names.subtract(entry.files.keys())
            size -= sum(each for inode, each in entry.files.items() if not names[inode])
            yield entry


def _things(root: Path) -> Iterator[tuple[str, Path]]:
    """The kind and the path of each thing that is surely the cache's own."""
    for folder in _inside(root):
        if folder.name == UNFINISHED:
            yield from (("unfinished", path) for path in _inside(folder))
        elif (folder / FILLED).is_file():
            yield from ((folder.name, path) for path in _inside(folder) if path.name != FILLED)
        else:
            own = (path for path in _inside(folder) if _KEY.fullmatch(path.name) and (path / MANIFEST).is_file())
            yield from ((folder.name, path) for path in own)


def _inside(folder: Path) -> list[Path]:
    try:
        return [] if folder.is_symlink() else sorted(folder.iterdir())
    except OSError:  # no folder, or removed meanwhile
        return []


def _entry(root: Path, kind: str, path: Path, used: set[str]) -> Entry:
    name = path.relative_to(root).as_posix()
    in_use = any(f"{name}/".startswith(f"{each}/") or f"{each}/".startswith(f"{name}/") for each in used)
    files, times = {}, []
    for file in [path, *path.rglob("*")]:
        with suppress(OSError):  # removed meanwhile
            status = file.lstat()
            times.append(status.st_mtime)
            if not S_ISDIR(status.st_mode):  # a folder is read by looking into it
                files[status.st_dev, status.st_ino] = status.st_size
                times.append(status.st_atime)
    with suppress(OSError):
        times = [(path / MANIFEST).stat().st_mtime]
    left = root / UNFINISHED == path.parent and not in_use
    return Entry(kind, path, max(times, default=0.0), files, in_use, left)
