"""The record of a trial of coverage: a cell whose true speed-up is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from inception_bench.measure.measurement import Measurement


@dataclass
class CoverageBody(Measurement):
    """A cell that was timed beside itself, or beside itself slowed down; ``truth`` is how many times as long that took.

    ``stratum`` is the name of the conditions (``gate.coverage.stratum``).
    """

    stratum: str = ""
    truth: float = 1.0

    @classmethod
    def of(cls, stratum: str, truth: float, measurement: Measurement) -> Self:
        return cls(**vars(measurement), stratum=stratum, truth=truth)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        return replace(super().from_json(data), stratum=data["stratum"], truth=data["truth"])
