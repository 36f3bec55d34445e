"""A job: one network, one set, one recipe, one seed. Everything that decides the trained weights. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from inception_bench.errors import UsageError
from inception_bench.models.changes import Changes, apply_changes
from inception_bench.models.notation import Conv
from inception_bench.models.plan import has_norm, make_plan
from inception_bench.models.public import find_table
from inception_bench.models.table import Table
from inception_bench.train.recipe import Recipe

# Each precision that may be asked for, and Fabric's name of it. Fabric has no name for TF32, to which a GPU may round
# the factors of binary32 products: ``machine.allow_tf32`` sets that separately. fp16 would need
# the state of a loss scaler in the checkpoints, and no network here needs fp16.
FULL, TF32 = "32-true", "tf32"
PRECISIONS = {FULL: FULL, TF32: FULL, "bf16-mixed": "bf16-mixed"}
# For each precision of a case that of its training step; with bf16 the weights stay in binary32.
PRECISION_OF_STEP = {"fp32": FULL, "tf32": TF32, "bf16": "bf16-mixed"}


@dataclass(frozen=True)
class Machine:
    """What a job runs on. Apart from rounding, nothing here has an influence on the trained weights.

    ``device`` is ``cpu``, ``cuda`` or ``auto`` (a GPU where torch finds one, else the CPU); ``precision`` one of
    ``PRECISIONS``; ``threads`` is how many one operation uses (None: as torch chooses) where the recipe does not say
    it; ``workers`` is how many processes read pictures. ``channels_last`` keeps maps and kernels in NHWC order in
    memory: the step of a quick recipe took 0.57 to 0.62 of the time of NCHW (v3, v4, GoogLeNet on one AMD EPYC core).
    """

    device: str = "cpu"
    precision: str = "32-true"
    threads: int | None = None
    workers: int = 2
    channels_last: bool = True


@dataclass(frozen=True)
class Job:
    """What to train. ``None`` takes the recipe's value.

    ``width_mult`` and ``input_size`` set the scale. ``epochs`` or ``max_steps`` set the length
    (``max_steps`` wins; the schedule spans whichever holds). ``changes`` alters the network.
    ``paired`` draws each layer's first weights from the seed and its name, so that networks which differ in a
    bias or a head begin alike elsewhere.
    ``train_images`` takes only that many of the training images, the same ones for every seed.
    ``evaluate_at`` names steps (from 1) after which the validation accuracy is logged, beside
    ``evaluations`` times at equal distances, the last one at the end. ``diverge`` reports a non-finite loss as outcome
    ``diverged`` instead of raising. ``checkpoint_s`` is the least time between two checkpoints, and
    ``checkpoint_steps`` overrides it by a count of steps.
    """

    model: str
    data: str
    recipe: Recipe
    seed: int = 0
    width_mult: float | None = None
    input_size: int | None = None
    epochs: float | None = None
    max_steps: int | None = None
    changes: Changes | None = None
    paired: bool = False
    train_images: int | None = None
    evaluate_at: tuple[int, ...] = ()
    evaluations: int = 4
    diverge: bool = False
    checkpoint_s: float = 30.0
    checkpoint_steps: int | None = None
    machine: Machine = field(default=Machine())

    @property
    def width(self) -> float:
        return self.recipe.width_mult if self.width_mult is None else self.width_mult

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.input_size or self.recipe.input_size or self.table.input_size

    @property
    def threads(self) -> int | None:
        """How many threads an operation uses: on a CPU what the recipe says, else what the machine does."""
        if self.machine.device == "cuda" or self.recipe.threads is None:
            return self.machine.threads
        return self.recipe.threads

    @property
    def scale(self) -> str:
        """Width and size in words, as in ``training.csv``: ``w0.25-80px``."""
        return f"w{self.width:g}-{self.size}px"

    @property
    def table(self) -> Table:
        """The network's table with the job's changes made."""
        table, changes = find_table(self.model), self.all_changes
        return table if changes is None else apply_changes(table, changes)

    @property
    def all_changes(self) -> Changes | None:
        """The job's changes, and with them the loss of batch normalisation where the recipe takes it away."""
        table = find_table(self.model)
        if self.recipe.batch_norm or not has_norm(Conv((1, 1), 1), table.style):
            return self.changes
        return replace(self.changes or Changes(), batch_norm=False)

    @property
    def aux(self) -> bool:
        """Whether aux heads take part."""
        return self.recipe.aux and bool(self.table.aux)

    def steps(self, images: int) -> int:
        """How many steps training takes on ``images`` training images."""
        if self.max_steps is not None:
            return self.max_steps
        epochs = self.recipe.epochs if self.epochs is None else self.epochs
        return max(math.ceil(epochs * self.steps_per_epoch(images) - 1e-9), 1)

    def steps_per_epoch(self, images: int) -> int:
        """How many whole batches an epoch has; images that fill no batch are not used.

        Raises UsageError where ``images`` training images do not fill one batch.
        """
        if images < self.recipe.batch_size:
            raise UsageError(
                f"{images} training images are fewer than one batch of {self.recipe.batch_size}; "
                "give more images or a smaller batch size"
            )
        return images // self.recipe.batch_size

    def evaluation_steps(self, steps: int) -> set[int]:
        """The numbers of those of ``steps`` steps (from 1) after which the validation accuracy is taken."""
        even = {round(steps * n / self.evaluations) for n in range(1, self.evaluations + 1)}
        return (even | set(self.evaluate_at) | {steps}) - {0}

    def identity(self) -> dict[str, Any]:
        """What a checkpoint and the job that resumes from it must have in common, as plain JSON values.

        Of the machine these are the device and the precision, which decide how it rounds: weights that were trained
        half on a GPU and half on a CPU, or in two precisions, would be a result of neither. Raises ValueError while
        the device is still ``auto``.
        """
        if self.machine.device == "auto":
            raise ValueError("device auto names no device yet; find out which it is, then ask for the identity")
        fields = asdict(self)
        for name in ("machine", "evaluate_at", "evaluations", "diverge", "checkpoint_s", "checkpoint_steps"):
            fields.pop(name)
        for name in ("sources", "paper"):
            fields["recipe"].pop(name)
        if self.recipe.threads is None:  # checkpoints from before recipes had threads hold no such field
            fields["recipe"].pop("threads")
        rounding = {"device": self.machine.device, "precision": self.machine.precision}
        return {**fields, "width_mult": self.width, "input_size": self.size, "machine": rounding}

    def check(self) -> None:
        """Raise UsageError for values that no training can have, before any data is opened."""
        if self.max_steps is not None and self.max_steps < 1:
            raise UsageError(f"max_steps {self.max_steps} is not possible; give at least 1")
        if self.epochs is not None and (not self.epochs > 0 or not math.isfinite(self.epochs)):
            raise UsageError(f"epochs {self.epochs} is not possible; give a number above 0, such as 8")
        if self.train_images is not None and self.train_images < 1:
            raise UsageError(f"train_images {self.train_images} is not possible; give at least 1")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed} is not possible; give a whole number from 0")
        make_plan(self.table, input_size=self.size, width_mult=self.width)
        if self.machine.precision not in PRECISIONS:
            raise UsageError(f"precision {self.machine.precision!r} is not known; give one of {', '.join(PRECISIONS)}")
