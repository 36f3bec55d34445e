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
# Random weights that keep images apart (``models/signal.py``): what a cell without data runs with.
SIGNAL_KEEPING = "signal-keeping"
_TRAINED = "recipe:"


@dataclass(frozen=True)
class Case:
    """One network on one runtime. Sizes in pixels a side, ``batch_size`` in images a call.

    ``options`` are the runtime's own, as JSON with sorted names; the defaults are left out.
    ``weights`` are signal-keeping, ``recipe:NAME:SEED`` (trained on ``data``, see ``trained_by``), or a
    file or name as ``load_checkpoint`` takes it. ``data`` names the set on which accuracy is measured;
    empty where it is not.
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
    weights: str = SIGNAL_KEEPING
    data: str = ""

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
        if self.weights != SIGNAL_KEEPING:
            parts.append(self.weights.removeprefix(_TRAINED).replace(":", "-s").replace("/", "_"))
        return "-".join([*parts, self.data.replace("/", "_")] if self.data else parts)

    @property
    def key(self) -> str:
        """The same for equal cases in every run: its JSON with sorted names."""
        return json.dumps(self.to_json(), sort_keys=True)

    @property
    def training_id(self) -> str:
        """``inception_v3-80px-w0.25-quick-s0-digits``: the network, its scale, recipe, seed and data.

        A step in another precision than fp32 names it at the end.
        """
        recipe, seed = self.trained_by or ("", 0)
        scale = f"{self.input_size}px-w{self.width_mult:g}"
        name = f"{self.address}-{scale}-{recipe}-s{seed}-{self.data.replace('/', '_')}"
        return name if self.precision == "fp32" else f"{name}-{self.precision}"

    @property
    def trained_by(self) -> tuple[str, int] | None:
        """The recipe and the seed that its weights are trained by; None for other weights."""
        if not self.weights.startswith(_TRAINED):
            return None
        recipe, _, seed = self.weights.removeprefix(_TRAINED).rpartition(":")
        return recipe, int(seed)

    @property
    def chosen(self) -> dict[str, str]:
        """The runtime's options that are not at their default, by name."""
        chosen: dict[str, str] = json.loads(self.options)
        return chosen

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


def trained_weights(recipe: str, seed: int) -> str:
    """A case's ``weights`` for a network that is trained by a recipe."""
    return f"{_TRAINED}{recipe}:{seed}"


def backend_text(backend: str, options: str) -> str:
    """A runtime with its options (JSON) as a user writes them."""
    chosen = json.loads(options)
    return backend + (f"[{';'.join(f'{key}={value}' for key, value in chosen.items())}]" if chosen else "")
