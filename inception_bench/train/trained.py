"""What training leaves: a network in a folder, and a row of ``training.csv``. Imports no torch."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inception_bench.store.known import read_known

CSV = "training.csv"
# ``checkpoint`` is a folder that ``load_network`` (models/weights/stored.py) reads, relative to the CSV file.
COLUMNS = (
    "model", "recipe", "scale", "dataset", "seed", "epochs", "train_s", "images_s",
    "top1", "top1_ci95_low", "top1_ci95_high", "top5", "checkpoint",
)  # fmt: skip
KEY = ("model", "recipe", "scale", "dataset", "seed")


@dataclass(frozen=True)
class Trained:
    """A trained network. Times in seconds, rates in images a second, shares from 0 to 1 on the test part.

    ``outcome`` is ``ok`` or ``diverged`` (``reason`` then says where, and there is no checkpoint and no accuracy).
    ``train_s`` is the time of the training steps alone. ``checkpoint`` is a folder for ``load_network`` and ``log`` a
    file with the loss of each step; a record and ``training.csv`` name both relative to their own folder. ``digest``
    is the SHA-256 of its weights. ``data_digest`` is a hash of the images and their split. ``precision`` (a name of
    ``train.job.PRECISIONS``), ``tf32`` (whether binary32 was allowed to round to TF32) and ``gpu`` (its name) are
    what was in force when training and test ended; the last two are None on a CPU, and ``precision`` is empty in
    records from before these fields existed. ``cached`` tells whether the network was taken from the cache, where an
    earlier run had put it.
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
    precision: str = ""
    tf32: bool | None = None
    gpu: str | None = None
    cached: bool = False

    def row(self) -> dict[str, Any]:
        """The columns of ``training.csv``."""
        return {name: getattr(self, name) for name in COLUMNS}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trained:
        """What ``to_json`` gave. Raises TypeError for anything else."""
        return read_known(cls, data)


def read_training(path: Path) -> list[dict[str, str]]:
    """The rows of a ``training.csv``; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
