"""What GitHub Actions shows: a step summary and annotations. Silent anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# What a workflow command does not carry as it is (GitHub's documentation of workflow commands).
_ESCAPES = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))


@dataclass(frozen=True)
class Note:
    """One annotation. ``level`` is error or warning."""

    level: str
    title: str
    text: str

    @property
    def command(self) -> str:
        """The workflow command that makes it."""
        return f"::{self.level} title={_escaped(self.title, property_=True)}::{_escaped(self.text)}"


def annotation_lines(notes: Iterable[Note], environ: Mapping[str, str]) -> list[str]:
    """The lines to print; none where this is no job of GitHub's."""
    return [note.command for note in notes] if environ.get("GITHUB_ACTIONS") == "true" else []


def append_summary(page: str, environ: Mapping[str, str]) -> None:
    """Add a Markdown page to the step's summary, where there is one."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a") as stream:
            stream.write(page + "\n")


def _escaped(text: str, *, property_: bool = False) -> str:
    for plain, escaped in (*_ESCAPES, *(((":", "%3A"), (",", "%2C")) if property_ else ())):
        text = text.replace(plain, escaped)
    return text
