"""What training leaves: a network in a folder, and a row of ``training.csv``. Imports no torch."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_bench.store.atomic import replace_text
from inception_bench.store.lock import alone_in

CSV = "training.csv"
# ``checkpoint`` is the folder that ``models.stored.load_network`` reads, as seen from the CSV file.
COLUMNS = (
    "model", "recipe", "scale", "dataset", "seed", "epochs", "train_s", "images_s",
    "top1", "top1_ci95_low", "top1_ci95_high", "top5", "checkpoint",
)  # fmt: skip
KEY = ("model", "recipe", "scale", "dataset", "seed")


@dataclass(frozen=True)
class Trained:
    """A trained network. Times in seconds, rates in images a second, shares from 0 to 1 on the test part.

    ``outcome`` is ``ok`` or ``diverged`` (``reason`` then says where, and there is no checkpoint and
    no accuracy). ``train_s`` is of the steps alone. ``checkpoint`` is a folder for ``load_network``,
    ``digest`` the SHA-256 of its weights. ``data_digest`` is of the images and their split. ``precision`` (a name of
    ``train.job.PRECISIONS``), ``tf32`` (whether binary32 was allowed to round to it) and ``gpu`` (its name) are what
    was in force when training and test ended; the last two are None on a CPU.
    """

    model: str
    recipe: str
    scale: str
    dataset: str
    seed: int
    epochs: float
    train_s: float
    images_s: float
    top1: float | None
    top1_ci95_low: float | None
    top1_ci95_high: float | None
    top5: float | None
    checkpoint: str | None
    outcome: str
    reason: str
    steps: int
    test_images: int
    validation_top1: float | None
    digest: str | None
    data_digest: str
    log: str
    precision: str
    tf32: bool | None
    gpu: str | None

    def row(self) -> dict[str, Any]:
        """The columns of ``training.csv``."""
        return {name: getattr(self, name) for name in COLUMNS}


def append_training(folder: Path, trained: Trained) -> Path:
    """Put a row into ``training.csv`` of a folder; a row of the same network, recipe, scale, set and seed is replaced.

    The file is written anew and takes the old one's place at once, so a reader never sees half a row.
    """
    row = {name: "" if value is None else str(value) for name, value in trained.row().items()}
    if trained.checkpoint is not None:  # seen from the file, so that a folder of results can be moved
        row["checkpoint"] = os.path.relpath(trained.checkpoint, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):  # two trainings that end together would each write the file without the other's row
        return _put_row(folder / CSV, row)


def _put_row(path: Path, row: Mapping[str, str]) -> Path:
    rows = [other for other in read_training(path) if any(other[name] != row[name] for name in KEY)]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows([*rows, row])
    replace_text(path, text.getvalue())
    return path


def read_training(path: Path) -> list[dict[str, str]]:
    """The rows of a ``training.csv``; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
