"""A training that is run to see its course: the loss of every step, accuracy at some steps, and dead channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from inception_bench.data.augmentation import Augmentation
from inception_bench.data.parts import Part, StoredPart
from inception_bench.data.sets import DataSplits, open_data
from inception_bench.models.changes import Changes
from inception_bench.models.weights.stored import load_network
from inception_bench.train.job import Job, Machine
from inception_bench.train.log import losses, validations
from inception_bench.train.loop import train
from inception_bench.train.recipe import Recipe, Schedule

# A course takes the validation accuracy a dozen times, on this many images to save time. An accuracy of 0.8 then has a
# standard error of 1.3 percentage points, and courses that are compared see the same images. The whole validation part
# has five times as many.
COMPARED_IMAGES = 1000
DEAD_IMAGES = 128  # a channel is dead that is zero at every position of this many images


def train_course(job: Job, folder: Path) -> dict[str, Any]:
    """Train ``job`` in ``folder``, or resume there; returns its course as plain JSON values.

    ``outcome``, ``reason`` and ``train_s`` are as in ``Trained``; ``validation`` has top-1 by step (as text),
    ``losses`` the loss of each step. ``dead_share`` is the share (0 to 1) of channels of the last map that are zero at
    every position of the first ``DEAD_IMAGES`` validation images; None where the training diverged.
    """
    splits = shortened(open_data(job.data, job.size, job.table.preprocessing))
    trained = train(replace(job, diverge=True), folder, splits=splits)
    log = Path(trained.log)
    dead = None if trained.checkpoint is None else dead_share(Path(trained.checkpoint), splits.validation)
    return {
        "outcome": trained.outcome,
        "reason": trained.reason,
        "train_s": trained.train_s,
        "validation": {str(step): top1 for step, top1 in validations(log).items()},
        "losses": losses(log),
        "dead_share": dead,
    }


def read_job(data: Mapping[str, Any]) -> Job:
    """The job from its fields, which ``dataclasses.asdict`` gave and which have been through JSON."""
    recipe, changes = dict(data["recipe"]), data["changes"]
    recipe["schedule"] = Schedule(**recipe["schedule"])
    if recipe["augmentation"] is not None:
        recipe["augmentation"] = Augmentation(**recipe["augmentation"])
    rebuilt = {
        "recipe": Recipe(**recipe),
        "changes": None if changes is None else Changes(**changes),
        "evaluate_at": tuple(data["evaluate_at"]),
        "machine": Machine(**data["machine"]),
    }
    return Job(**{**data, **rebuilt})


def shortened(splits: DataSplits) -> DataSplits:
    """The set with fewer validation and test images, at equal distances in case a part is sorted by class."""
    return replace(splits, validation=_some(splits.validation), test=_some(splits.test))


def _some(part: Part) -> Part:
    if not isinstance(part, StoredPart):
        return part
    every = max(len(part) // COMPARED_IMAGES, 1)
    return StoredPart(part.pixels[::every], part.labels[::every], part.preprocessing)


def dead_share(folder: Path, part: Part) -> float:
    """The share (0 to 1) of channels before the last pool that are zero all over the first images of ``part``."""
    network = load_network(folder)
    images = torch.from_numpy(part.images(range(min(len(part), DEAD_IMAGES))))
    with torch.inference_mode():
        *_, (_, last), _ = network.forward_rows(images).items()
    return float((last.abs().amax((0, 2, 3)) == 0).double().mean())
