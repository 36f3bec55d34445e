"""A git revision as a folder of its own, for as long as it is needed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_bench.errors import UsageError


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A worktree of ``revision`` of the repository around the present folder; removed at the end.

    Raises UsageError where git knows no such revision or it holds no package.
    """
    repository = Path(_git(Path.cwd(), revision, "rev-parse", "--show-toplevel"))
    with tempfile.TemporaryDirectory(prefix="inception-bench-") as place:
        tree = Path(place).resolve() / "tree"
        _git(repository, revision, "worktree", "add", "--detach", "--force", str(tree), f"{revision}^{{commit}}")
        try:
            if not (tree / "inception_bench" / "__init__.py").exists():
                raise UsageError(f"revision {revision!r} holds no inception_bench; give one that does")
            yield tree
        finally:
            _git(repository, revision, "worktree", "remove", "--force", str(tree))


def _git(folder: Path, revision: str, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"revision {revision!r} needs git, which cannot be run ({error.strerror})") from None
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise UsageError(f"revision {revision!r} cannot be checked out in {folder}: {said}")
    return done.stdout.strip()
