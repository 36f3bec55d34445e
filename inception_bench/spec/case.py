"""A case: one cell of the benchmark, everything that decides what is run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

# Binary32 with every product in full; tf32: products of 10-bit mantissas, sums in binary32 (NVIDIA GPUs);
# bf16 and fp16: weights and maps in 16 bits.
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
DEVICES = ("cpu", "cuda")
REFERENCE_BACKEND = "eager"


@dataclass(frozen=True)
class Case:
    """One network on one runtime. Sizes in pixels a side, ``batch_size`` in images a call.

    ``options`` are the runtime's own, as JSON with sorted names; the defaults are left out.
    """

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
    options: str = "{}"

    @property
    def address(self) -> str:
        """``name@definition``, or the bare name for the default definition."""
        return f"{self.model}@{self.definition}" if self.definition else self.model

    @property
    def id(self) -> str:
        """A readable name, unique within a run: ``googlenet-onnxruntime-cpu-fp32-b1-224px``."""
        parts = [
            self.address,
            self.backend_text,
            self.device,
            self.precision,
            f"b{self.batch_size}",
            f"{self.input_size}px",
        ]
        if self.width_mult != 1:
            parts.append(f"w{self.width_mult:g}")
        return "-".join(parts)

    @property
    def chosen(self) -> dict[str, str]:
        """The runtime's options that are not at their default, by name."""
        return json.loads(self.options)

    @property
    def backend_text(self) -> str:
        """The runtime as a user writes it: ``compile`` or ``compile[mode=max-autotune]``."""
        return backend_text(self.backend, self.options)

    def reference(self) -> Case:
        """The cell that this one is compared with, round by round: eager, fp32, all else equal."""
        return replace(self, backend=REFERENCE_BACKEND, precision="fp32", options="{}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Case:
        return cls(**data)


def backend_text(backend: str, options: str) -> str:
    """A runtime with its options (JSON) as a user writes them."""
    chosen = json.loads(options)
    return backend + (f"[{';'.join(f'{key}={value}' for key, value in chosen.items())}]" if chosen else "")
