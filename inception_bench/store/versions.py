"""The version of a stored file, so that no reader guesses at a format that only a later revision knows."""

from __future__ import annotations

from pathlib import Path

from inception_bench.errors import UsageError


class NewerVersionError(UsageError):
    """A stored file is of a version that this revision does not read."""


def check_version(path: Path, version: object, newest: int, otherwise: str) -> None:
    """Raise NewerVersionError unless ``path`` can be read.

    ``version`` is the one in the file; None, as in files from before versions were written, means 1.
    ``newest`` is the last version that this revision reads, ``otherwise`` what a user can do who cannot upgrade.
    """
    if version is not None and version not in range(1, newest + 1):
        raise NewerVersionError(
            f"{path} is of version {version}; this inception-bench reads up to version {newest}: "
            f"install a later one, or {otherwise}"
        )
