"""Built things on disk, found by the hash of everything that went into them.

An entry is a folder: the built files and ``manifest.json`` with their hashes. It appears whole (a
rename) or not at all, and is checked each time that it is used: a damaged one is built again. When it was
last used, its manifest's time of change tells; what is used now, a lease (``store/lease.py``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inception_bench.store.equal import file_hash, share_equal
from inception_bench.store.lease import hold
from inception_bench.store.lock import alone_in, alone_with
from inception_bench.store.versions import NewerVersionError, check_version

MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"  # what is being built, or being removed
BUILDING = ".building"  # an empty file for each key that is being built
FILLED = ".filled_by_engines"  # marks a folder of things that are no artifacts, one a thing
VERSION = 1  # of the manifest
VARIABLE = "INCEPTION_BENCH_CACHE"
PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Artifact:
    """What was built. ``size_bytes`` is the sum of its files, ``build_s`` the seconds that building took.

    ``cached`` tells whether it was already there when it was asked for.
    """

    folder: Path
    key: str
    digest: str
    size_bytes: int
    build_s: float
    cached: bool


def default_root() -> Path:
    """Where artifacts lie: ``$INCEPTION_BENCH_CACHE``, else the user's cache folder.

    A host without platformdirs (such as a GPU host that runs the source tree with its own packages) uses the folder
    that the XDG base directory specification names.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    if find_spec("platformdirs") is None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(home) / "inception_bench"
    import platformdirs

    return platformdirs.user_cache_path("inception_bench")


def key_of(parts: Mapping[str, Any]) -> str:
    """The hash of a description (JSON-able) of all that decides what gets built."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def source_hash(package: Path = PACKAGE, *patterns: str, without: str | None = None) -> str:
    """The hash of a package folder's Python files, by their names and contents: all, or those that match.

    The suites never count: an installed package holds them, a checkout of the same sources has them beside it.
    A pattern is as ``Path.glob`` takes it: ``models/**/*.py``; the file ``without`` does not count. Raises
    LookupError where a pattern matches nothing in this package: after a file was moved, what depends on it would
    otherwise never be built again. In another package's folder, such as an older revision's, that pattern is ignored.
    """
    suites = set(package.glob("suites/*"))
    matched = {pattern: set(package.glob(pattern)) - suites for pattern in patterns or ("**/*.py",)}
    empty = [pattern for pattern, paths in matched.items() if not paths]
    if empty and package == PACKAGE:
        raise LookupError(f"{', '.join(empty)} matches no file of {package}")
    digest = hashlib.sha256()
    for path in sorted(set().union(*matched.values())):
        if path.relative_to(package).as_posix() == without:
            continue
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True)
class ArtifactCache:
    """The folder of all artifacts. ``build`` writes files into an empty folder that it is given.

    ``built`` has the key of each artifact that was built through this object.
    """

    root: Path
    built: list[str] = field(default_factory=list, init=False, compare=False, repr=False)

    def get(self, kind: str, parts: Mapping[str, Any], build: Callable[[Path], None]) -> Artifact:
        """The artifact of ``parts``, built first where it is absent or damaged.

        Nobody builds what another thread or process is building now: the later one waits, and takes what the first one
        built. Raises NewerVersionError where a later revision wrote the entry, which this one must not replace.
        """
        key = key_of({"kind": kind, **parts})
        folder = self.root / kind / key
        self._hold(folder)
        ready = self._read(folder, key)
        if ready is not None:
            return ready
        with self._alone_building(key):
            ready = self._read(folder, key)
            return ready if ready is not None else self._build(folder, key, parts, build)

    def find(self, kind: str, parts: Mapping[str, Any]) -> Artifact | None:
        """The artifact of ``parts``, or None where it is absent. Its files are not read, so it may be damaged.

        Raises NewerVersionError as ``get`` does.
        """
        key = key_of({"kind": kind, **parts})
        folder = self.root / kind / key
        self._hold(folder)
        return self._listed(folder, key, lambda files: True)

    def filled(self, kind: str, part: str = "") -> Path:
        """The folder of a ``kind`` of things that engines or trainings write themselves, or ``part`` of it, in use now.

        What lies in it is tidied away like artifacts, each thing by the time at which it was written or read.
        """
        folder = self.root / kind
        self._hold(folder / part)
        with suppress(OSError):  # who writes there will say so
            folder.mkdir(parents=True, exist_ok=True)
            (folder / FILLED).touch()
        return folder / part

    def _hold(self, path: Path) -> None:
        with suppress(OSError):  # from a cache that cannot be written nothing can be removed either
            hold(self.root, path.relative_to(self.root).as_posix())

    @contextmanager
    def _alone_building(self, key: str) -> Iterator[None]:
        """Hold the right to build ``key``.

        The file that stands for it is taken away in the end, while it is held: whoever gets it next looks for the
        artifact first, and so finds it.
        """
        place = self.root / BUILDING / key
        place.parent.mkdir(parents=True, exist_ok=True)
        with alone_with(place):
            try:
                yield
            finally:
                place.unlink(missing_ok=True)

    def _read(self, folder: Path, key: str) -> Artifact | None:
        """The artifact as it is on the disk, now used; None where it is absent or damaged."""

        def are_whole(files: Mapping[str, str]) -> bool:
            return all(file_hash(folder / name) == wanted for name, wanted in files.items())

        ready = self._listed(folder, key, are_whole)
        if ready is not None:
            with suppress(OSError):
                os.utime(folder / MANIFEST)
        return ready

    def _listed(self, folder: Path, key: str, are_good: Callable[[Mapping[str, str]], bool]) -> Artifact | None:
        """The artifact of a manifest whose files (their hashes by name) ``are_good``."""
        try:
            manifest = json.loads((folder / MANIFEST).read_text())
            otherwise = f"give another folder in {VARIABLE}, or delete {folder}"
            check_version(folder / MANIFEST, manifest.get("version"), VERSION, otherwise)
            good = are_good(manifest["files"])
        except NewerVersionError:
            raise
        except (OSError, ValueError, KeyError):
            good = False
        if not good:
            return None
        return Artifact(folder, key, manifest["digest"], manifest["size_bytes"], manifest["build_s"], True)

    def _build(self, folder: Path, key: str, parts: Mapping[str, Any], build: Callable[[Path], None]) -> Artifact:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.root / UNFINISHED / uuid.uuid4().hex
        self._hold(fresh)
        fresh.mkdir(parents=True)
        try:
            start = time.perf_counter()
            build(fresh)
            build_s = time.perf_counter() - start
            files = {
                str(path.relative_to(fresh)): file_hash(path) for path in sorted(fresh.rglob("*")) if path.is_file()
            }
            size = sum((fresh / name).stat().st_size for name in files)
            digest = key_of(files)
            manifest = {"version": VERSION, "digest": digest, "size_bytes": size, "build_s": build_s, "files": files}
            manifest["of"] = dict(parts)
            share_equal(fresh, files, folder.parent.glob(f"*/{MANIFEST}"))
            (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1))
            self.built.append(key)
            return self._publish(fresh, Artifact(folder, key, digest, size, build_s, False))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _publish(self, fresh: Path, built: Artifact) -> Artifact:
        """Put ``built`` in its place.

        Where another run built the same meanwhile and was first, its artifact is used.
        """
        with alone_in(self.root):
            ready = self._read(built.folder, built.key)
            if ready is not None:
                return ready
            shutil.rmtree(built.folder, ignore_errors=True)  # damaged, where it exists
            fresh.rename(built.folder)
        return built
