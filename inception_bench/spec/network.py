"""What runs: a network at its scale, with its weights."""

from __future__ import annotations

from dataclasses import dataclass

# Random weights whose logits depend on the image (models/weights/signal.py): a cell without data has them.
SIGNAL_KEEPING = "signal-keeping"
TRAINED = "recipe:"  # the beginning of ``weights`` that a recipe trains


@dataclass(frozen=True)
class NetworkSpec:
    """A network as it is built: ``input_size`` in pixels a side.

    ``weights`` are signal-keeping, ``recipe:NAME:SEED`` (trained on ``data``, see ``trained_by``), or a
    file or name as ``load_checkpoint`` takes it. ``data`` names the set on which accuracy is measured;
    empty where accuracy is not measured.
    """

    model: str
    definition: str
    input_size: int
    width_mult: float
    num_classes: int
    weights: str = SIGNAL_KEEPING
    data: str = ""

    @property
    def address(self) -> str:
        """``name@definition``, or the bare name for the default definition."""
        return f"{self.model}@{self.definition}" if self.definition else self.model

    @property
    def trained_by(self) -> tuple[str, int] | None:
        """The recipe and the seed that its weights are trained by; None for other weights."""
        if not self.weights.startswith(TRAINED):
            return None
        recipe, _, seed = self.weights.removeprefix(TRAINED).rpartition(":")
        return recipe, int(seed)


def trained_weights(recipe: str, seed: int) -> str:
    """The ``weights`` of a network that is trained by a recipe."""
    return f"{TRAINED}{recipe}:{seed}"
