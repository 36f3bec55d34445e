"""Records of trained networks: where their checkpoints lie, and those that ``inception-bench train`` keeps."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from inception_bench.measure.training import case_of
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import TRAINING
from inception_bench.records.record import Record, Run
from inception_bench.train.job import Job
from inception_bench.train.trained import Trained


def seen_from(folder: Path, trained: Trained) -> Trained:
    """``trained`` with paths relative to ``folder``, so that a folder of results and networks can be moved."""
    checkpoint = None if trained.checkpoint is None else _relative(trained.checkpoint, folder)
    return replace(trained, checkpoint=checkpoint, log=_relative(trained.log, folder))


def _relative(path: str, folder: Path) -> str:
    return os.path.relpath(path, folder.resolve()) if os.path.isabs(path) else path


def keep_trained(folder: Path, run: Run, job: Job, trained: Trained) -> Record[Trained]:
    """Write the record of a training by the command ``train`` into a results folder; ``run`` is this training's own."""
    record = TRAINING.record(run, case_of(job, trained), seen_from(folder, trained))
    return Journal(folder / FILE).append(record)
