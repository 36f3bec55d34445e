"""The acceptance of a run as baseline (who, when and why): ``baseline.json`` beside its records."""

from __future__ import annotations

import datetime
import getpass
import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from inception_bench.errors import OptionError, UsageError
from inception_bench.records.journal import FILE
from inception_bench.store.atomic import replace_text
from inception_bench.store.equal import file_hash
from inception_bench.store.versions import NewerVersionError, check_version

ACCEPTANCE = "baseline.json"
VERSION = 1


@dataclass(frozen=True)
class Acceptance:
    """``when`` is UTC, ISO 8601; ``records_sha256`` is of the records file as it was accepted."""

    who: str
    when: str
    why: str
    run_id: str
    records_sha256: str


def read_acceptance(folder: Path) -> Acceptance | None:
    """The acceptance in ``folder``; None where its run was never accepted.

    Raises UsageError where the records changed after it, or where the file is damaged or of a later version.
    """
    path = folder / ACCEPTANCE
    if not path.exists():
        return None
    try:
        told = json.loads(path.read_text())
        check_version(path, told.pop("version", None), VERSION, f"accept the baseline again: {_command(folder)}")
        acceptance = Acceptance(**told)
    except NewerVersionError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged ({error}); accept the baseline again: {_command(folder)}") from None
    if file_hash(folder / FILE) != acceptance.records_sha256:
        raise UsageError(
            f"{folder / FILE} is not what {acceptance.who} accepted on {acceptance.when[:10]}: it was changed since; "
            f"restore it, or accept it as it is: {_command(folder)}"
        )
    return acceptance


def write_acceptance(folder: Path, to: Path, run_id: str, why: str, who: str | None = None) -> Acceptance:
    """Copy the results of ``folder`` to ``to`` (which may be the same) and say who accepted them, when and why.

    Raises UsageError where there is no reason or the folder cannot be written.
    """
    if not why.strip():
        raise OptionError(
            lambda named: (
                f'{named("why")} is empty; say in a sentence why this run is the new baseline: {named("why")} "..."'
            )
        )
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    acceptance = Acceptance(who or _user(), now, why.strip(), run_id, file_hash(folder / FILE))
    try:
        if to.resolve() != folder.resolve():
            shutil.copytree(folder, to, dirs_exist_ok=True)
        replace_text(to / ACCEPTANCE, json.dumps({"version": VERSION, **asdict(acceptance)}, indent=1) + "\n")
    except OSError as error:
        why_not = error.strerror
        raise OptionError(
            lambda named: f"baseline folder {to} cannot be written ({why_not}); give another with {named('to')}"
        ) from None
    return acceptance


def _command(folder: Path) -> str:
    return f'inception-bench baseline accept {folder} --why "..."'


def _user() -> str:
    """The name that git knows, else that of the account."""
    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
    except OSError:
        return getpass.getuser()
    return done.stdout.strip() or getpass.getuser()
