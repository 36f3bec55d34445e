"""The log of a training run: JSON lines, which a plot can be made of. Imports no torch.

Every line has a ``kind``. The first is ``start`` and says what was trained, and on what. Then come ``step`` (step
from 1, epoch, learning rate, loss before the update) and ``validation`` (step, top1, top5); the last is ``end``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_bench.store.atomic import replace_text

FILE = "log.jsonl"


@dataclass(frozen=True)
class Log:
    """The log file of a run's folder. Only the last line may be cut short, where the process was killed."""

    path: Path

    def begin(self, facts: dict[str, Any], last_step: int) -> None:
        """Start a log, or continue the old one; its lines of steps after ``last_step`` go, as those steps run again."""
        kept = [line for line in read_log(self.path) if line["kind"] != "end" and line["step"] <= last_step]
        kept = kept or [{"kind": "start", "step": 0, **facts}]
        replace_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def write(self, kind: str, step: int, **values: Any) -> None:
        with self.path.open("a") as stream:
            stream.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log without a last one that was cut short; an empty list where there is no file."""
    if not path.exists():
        return []
    return list(_whole(path.read_text().splitlines()))


def losses(path: Path) -> list[float]:
    """The loss of each step in order."""
    return [line["loss"] for line in read_log(path) if line["kind"] == "step"]


def validations(path: Path) -> dict[int, float]:
    """The validation top-1 by step."""
    return {line["step"]: line["top1"] for line in read_log(path) if line["kind"] == "validation"}


def _whole(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        if line.endswith("}"):
            yield json.loads(line)
