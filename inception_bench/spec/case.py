"""A case: one cell of the benchmark, everything that decides what is run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

PRECISIONS = ("fp32",)
DEVICES = ("cpu",)
REFERENCE_BACKEND = "eager"


@dataclass(frozen=True)
class Case:
    """One network on one runtime. Sizes in pixels a side, ``batch_size`` in images a call."""

    model: str
    definition: str
    backend: str
    device: str
    precision: str
    batch_size: int
    input_size: int
    width_mult: float
    num_classes: int
    threads: int

    @property
    def address(self) -> str:
        """``name@definition``, or the bare name for the default definition."""
        return f"{self.model}@{self.definition}" if self.definition else self.model

    @property
    def id(self) -> str:
        """A readable name, unique within a run: ``googlenet-onnxruntime-cpu-fp32-b1-224px``."""
        parts = [self.address, self.backend, self.device, self.precision, f"b{self.batch_size}", f"{self.input_size}px"]
        if self.width_mult != 1:
            parts.append(f"w{self.width_mult:g}")
        return "-".join(parts)

    def reference(self) -> Case:
        """The cell that this one is compared with, round by round: eager, fp32, all else equal."""
        return replace(self, backend=REFERENCE_BACKEND, precision="fp32")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Case:
        return cls(**data)
