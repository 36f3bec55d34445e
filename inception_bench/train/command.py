"""The body of ``inception-bench train``: from what was typed to a job, a trained network and a row."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_bench.errors import UsageError
from inception_bench.models.public import find_table
from inception_bench.train.job import Job, Machine
from inception_bench.train.recipes import find_recipe
from inception_bench.train.trained import Trained

if TYPE_CHECKING:
    from inception_bench.train.loop import Progress


@dataclass(frozen=True)
class Typed:
    """What the command line gives beside network, set and recipe; None where nothing was typed.

    ``rate`` is the learning rate, ``input_size`` in pixels a side, ``batch_size`` in images.
    """

    without: str | None = None
    seed: int = 0
    epochs: float | None = None
    max_steps: int | None = None
    batch_size: int | None = None
    rate: float | None = None
    width_mult: float | None = None
    input_size: int | None = None
    machine: Machine = field(default=Machine())


def make_job(model: str, data: str, recipe: str, typed: Typed) -> Job:
    """The job that was asked for. Raises UsageError for anything that does not exist or cannot be."""
    find_table(model)
    chosen = find_recipe(recipe, model).without({switch.strip() for switch in (typed.without or "").split(",")} - {""})
    if typed.rate is not None:
        chosen = replace(chosen, name=f"{chosen.name}-rate={typed.rate:g}", rate=typed.rate)
    if typed.batch_size is not None:
        chosen = replace(chosen, name=f"{chosen.name}-batch={typed.batch_size}", batch_size=typed.batch_size)
    threads = typed.machine.threads
    if typed.machine.device != "cuda" and chosen.threads is not None and threads not in (None, chosen.threads):
        chosen = replace(chosen, name=f"{chosen.name}-threads={threads}", threads=threads)
    return Job(
        model,
        data,
        chosen,
        seed=typed.seed,
        width_mult=typed.width_mult,
        input_size=typed.input_size,
        epochs=typed.epochs,
        max_steps=typed.max_steps,
        machine=typed.machine,
    )


def run(job: Job, output: Path, report: Callable[[Progress], None]) -> Trained:
    """Train ``job`` in a folder of its own under ``output``.

    Raises as ``train``, and UsageError without that folder.
    """
    from inception_bench.train.loop import train

    job.check()
    folder = output / folder_name(job)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"folder {folder} cannot be made ({error.strerror}); give another with -o") from None
    return train(job, folder, report)


def run_shown(job: Job, output: Path) -> Trained | None:
    """As ``run``, with progress on stderr; None in the processes of ``torchrun`` that are not the first.

    A loss that is no number ends the program: one line on stderr, exit code 1.
    """
    from inception_bench.train.step import DivergedError

    first = os.environ.get("RANK", "0") == "0"
    line = ProgressLine(sys.stderr.write, time.monotonic, terminal=sys.stderr.isatty())
    try:
        trained = run(job, output, line if first else lambda _: None)
    except DivergedError as error:
        if first:
            print(f"inception-bench: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    return trained if first else None


def folder_name(job: Job) -> str:
    """The folder of a network, recipe, scale, set and seed: the same command resumes in the same folder."""
    name = f"{job.model}-{job.recipe.name}-{job.scale}-{job.data}-seed{job.seed}"
    return "".join(letter if letter.isalnum() or letter in "-_.@=" else "_" for letter in name)


def to_json(trained: Trained) -> str:
    """One JSON document: the columns of ``training.csv`` and what else is known."""
    return json.dumps(trained.to_json(), indent=1)


def sentence(trained: Trained) -> str:
    """The result in a line or two."""
    return (
        f"{trained.model}, recipe {trained.recipe}, {trained.dataset}: top-1 {trained.top1:.4f} "
        f"({trained.top1_ci95_low:.4f}-{trained.top1_ci95_high:.4f}), top-5 {trained.top5:.4f} on "
        f"{trained.test_images} test images\ntrained {trained.epochs:g} epochs in {trained.train_s:.0f} s "
        f"({trained.images_s:.0f} images/s): {trained.checkpoint}"
    )


class ProgressLine:
    """Shows progress: on a terminal one line that is written over, in a file a new line every ten seconds."""

    def __init__(self, write: Callable[[str], Any], clock: Callable[[], float], *, terminal: bool):
        self.write, self.clock, self.terminal = write, clock, terminal
        self.every_s = 0.2 if terminal else 10.0
        self.last: float | None = None

    def __call__(self, progress: Progress) -> None:
        now, ended = self.clock(), progress.step == progress.steps
        if self.last is not None and now - self.last < self.every_s and not ended:
            return
        self.last = now
        text = progress_text(progress)
        if not self.terminal:
            self.write(text + "\n")
        else:
            self.write(f"\r{text:<100}" + ("\n" if ended else ""))


def progress_text(progress: Progress) -> str:
    """``step 40/312, epoch 1.03, loss 1.234, validation 0.951, 95 images/s, 1:02 left``."""
    left = round(progress.left_s)
    texts: list[Any] = [
        f"step {progress.step}/{progress.steps}",
        f"epoch {progress.epoch:.2f}",
        f"loss {progress.loss:.3f}",
        None if progress.accuracy is None else f"validation {progress.accuracy:.3f}",
        f"{progress.images_s:.0f} images/s",
        f"{left // 60}:{left % 60:02} left",
    ]
    return ", ".join(text for text in texts if text)
