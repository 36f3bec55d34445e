"""A training for its course alone: the loss of every step, accuracy at steps, and what died. Nothing else is kept."""

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

# A course is looked at a dozen times: 1,000 images give an accuracy of 0.8 a standard error of 1.3 points, and two
# courses see the same ones. The set's own validation part has five times as many.
COMPARED_IMAGES = 1000
DEAD_IMAGES = 128


def train_course(job: Job, folder: Path) -> dict[str, Any]:
    """Train ``job`` in ``folder``, or go on there; JSON-able.

    ``outcome`` and ``reason`` as in ``Trained``; ``validation`` has top-1 by step (as text), ``losses`` the loss of
    each step. ``dead_share`` is the share of channels of the last map that are zero at every position of every
    image that was looked at; None where the training diverged.
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
    """The job whose fields ``dataclasses.asdict`` has made JSON of."""
    recipe, changes = dict(data["recipe"]), data["changes"]
    recipe["schedule"] = Schedule(**recipe["schedule"])
    if recipe["augmentation"] is not None:
        recipe["augmentation"] = Augmentation(**recipe["augmentation"])
    parts = {
        "recipe": Recipe(**recipe),
        "changes": None if changes is None else Changes(**changes),
        "evaluate_at": tuple(data["evaluate_at"]),
        "machine": Machine(**data["machine"]),
    }
    return Job(**{**data, **parts})


def shortened(splits: DataSplits) -> DataSplits:
    """The set with fewer images to look at, spread over each part in case it is sorted."""
    return replace(splits, validation=_some(splits.validation), test=_some(splits.test))


def _some(part: Part) -> Part:
    if not isinstance(part, StoredPart):
        return part
    every = max(len(part) // COMPARED_IMAGES, 1)
    return StoredPart(part.pixels[::every], part.labels[::every], part.preprocessing)


def dead_share(folder: Path, part: Part) -> float:
    """The share of channels before the last pool that are zero at every position of the first images of ``part``."""
    network = load_network(folder)
    images = torch.from_numpy(part.images(range(min(len(part), DEAD_IMAGES))))
    with torch.inference_mode():
        *_, (_, last), _ = network.forward_rows(images).items()
    return float((last.abs().amax((0, 2, 3)) == 0).double().mean())
