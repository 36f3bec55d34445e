"""What the output of engines is compared with, as the cache holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inception_bench.measure.parity import RowScale

IMAGES, LOGITS, FACTS = "images.npy", "logits.npy", "facts.json"


@dataclass(frozen=True)
class Reference:
    """Eager's logits (8, classes) in float64, with which others are compared; ``images`` is a file (8, 3, S, S).

    ``spread`` and ``mutations`` are the smallest spread and the known faults' errors (see ``measure.parity``).
    """

    images: Path
    logits: np.ndarray
    spread: float
    mutations: dict[str, float]

    @classmethod
    def read(cls, folder: Path) -> Reference:
        facts = json.loads((folder / FACTS).read_text())
        return cls(folder / IMAGES, np.load(folder / LOGITS), facts["spread"], facts["mutations"])


@dataclass(frozen=True)
class RowReference:
    """Eager's maps (2, all end points' values) in float64, of a file (2, 3, S, S); ``scales`` judge each end point."""

    images: Path
    maps: np.ndarray
    scales: list[RowScale]

    @classmethod
    def read(cls, folder: Path) -> RowReference:
        scales = [RowScale(**scale) for scale in json.loads((folder / FACTS).read_text())["scales"]]
        return cls(folder / IMAGES, np.load(folder / LOGITS), scales)
