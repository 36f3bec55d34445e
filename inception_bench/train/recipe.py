"""A recipe: how a network is trained, as data. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inception_bench.data.augmentation import Augmentation
from inception_bench.errors import UnknownNameError, UsageError

OPTIMISERS = ("sgd", "tf-rmsprop")
FIRST_WEIGHTS = ("slim", "caffe", "caffe-quiet-stem")
SHAPES = ("constant", "exponential", "cosine", "linear")


@dataclass(frozen=True)
class Schedule:
    """The learning rate over training, as a multiple of the recipe's rate.

    ``exponential`` multiplies by ``factor`` every ``every_epochs`` (in stairs); ``cosine`` and
    ``linear`` go down to 0 at the last step. ``warmup`` is the share of all steps in which the rate
    first rises linearly.
    """

    shape: str = "constant"
    every_epochs: float = 1.0
    factor: float = 1.0
    warmup: float = 0.0

    def at(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """By what the recipe's rate is multiplied in step ``step`` (from 0) of ``steps``."""
        rising = round(self.warmup * steps)
        if step < rising:
            return (step + 1) / rising
        done = (step - rising) / max(steps - rising, 1)
        if self.shape == "exponential":
            # In whole steps, because a quotient of epochs could be rounded to just under a whole number.
            return self.factor ** (step // max(round(self.every_epochs * steps_per_epoch), 1))
        if self.shape == "cosine":
            return (1 + math.cos(math.pi * done)) / 2
        return 1 - done if self.shape == "linear" else 1.0


@dataclass(frozen=True)
class Recipe:
    """Optimiser, schedule, losses, regularisers, size of a batch, length. ``None`` and 0 mean: without.

    ``rate`` is the learning rate, ``momentum`` that of the update; ``decay`` and ``epsilon`` are
    TF-style RMSProp's. ``clip`` limits the norm of all gradients together. ``weight_decay`` is the
    coefficient of L2 (its gradient is ``weight_decay * w``) on weights of convolutions and linear
    layers. ``averaging`` is the decay of the running average of weights that is evaluated.
    ``recalibration`` counts the training batches on which batch norm statistics are set anew for
    the network that is evaluated; 0 keeps the running ones. ``aux`` uses the network's aux heads,
    each with its table's loss weight. ``batch_norm`` and ``dropout`` False take them out of the
    network. ``first_weights`` is ``slim`` (as the network is built), or ``caffe`` or
    ``caffe-quiet-stem`` (``first_weights.py``), which change only networks without batch
    normalisation. ``width_mult`` and ``input_size`` are the scale (``None``: native size).
    ``reshuffles`` False shows the images of every epoch in the same order.
    ``threads`` is how many threads an operation uses on a CPU; None leaves that to the job's machine. It decides in
    which order numbers are added, and so how the weights are rounded: a recipe that says it gives the same weights
    however many cores there are.
    ``sources`` gives by field where the number comes from; ``paper`` gives by field the paper's value,
    where this recipe has another. Raises UsageError for an unknown name, or a rate, length or batch not above 0.
    """

    name: str
    optimiser: str
    rate: float
    batch_size: int
    epochs: float
    schedule: Schedule = Schedule()
    momentum: float = 0.9
    decay: float = 0.9
    epsilon: float = 1.0
    clip: float | None = None
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    averaging: float | None = None
    recalibration: int = 0
    aux: bool = True
    batch_norm: bool = True
    dropout: bool = True
    reshuffles: bool = True
    augmentation: Augmentation | None = None
    first_weights: str = "slim"
    width_mult: float = 1.0
    input_size: int | None = None
    threads: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict, hash=False)
    paper: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise UnknownNameError("optimiser", self.optimiser, OPTIMISERS)
        if self.schedule.shape not in SHAPES:
            raise UnknownNameError("schedule", self.schedule.shape, SHAPES)
        if self.first_weights not in FIRST_WEIGHTS:
            raise UnknownNameError("first weights", self.first_weights, FIRST_WEIGHTS)
        for name, value in (("rate", self.rate), ("epochs", self.epochs), ("batch_size", self.batch_size)):
            if not value > 0 or not math.isfinite(value):
                raise UsageError(f"recipe {self.name}: {name} {value} is not possible; give a number above 0")

    def without(self, parts: set[str]) -> Recipe:
        """This recipe without ``parts``, which its name then tells: ``quick-aux``.

        Raises UsageError for an unknown part.
        """
        changed = self
        for part in sorted(parts):
            if part not in SWITCHES:
                raise UnknownNameError("part of a recipe", part, SWITCHES)
            changed = replace(changed, name=f"{changed.name}-{part}", **SWITCHES[part])
        return changed


# The parts that ``without`` can switch off, and the fields that this sets.
SWITCHES: dict[str, dict[str, Any]] = {
    "augmentation": {"augmentation": None},
    "aux": {"aux": False},
    "averaging": {"averaging": None},
    "bn": {"batch_norm": False},
    "clip": {"clip": None},
    "dropout": {"dropout": False},
    "label-smoothing": {"label_smoothing": 0.0},
    "momentum": {"momentum": 0.0},
    "recalibration": {"recalibration": 0},
    "schedule": {"schedule": Schedule()},
    "weight-decay": {"weight_decay": 0.0},
}
