"""The training loop: from a job to a trained network in a folder."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from inception_bench.data.sets import DataSplits, open_data
from inception_bench.errors import UsageError
from inception_bench.models.weights.stored import WEIGHTS, save_network
from inception_bench.store.equal import file_hash
from inception_bench.train.accuracy import Accuracy
from inception_bench.train.assembly import assemble
from inception_bench.train.average import RECALIBRATION_BATCH, fill_without_aux, recalibrate
from inception_bench.train.batches import Batches, Order, evaluation_batches, loader
from inception_bench.train.checkpoint import FILE, Position, load_checkpoint, save_checkpoint
from inception_bench.train.evaluate import evaluate
from inception_bench.train.job import Job
from inception_bench.train.log import FILE as LOG
from inception_bench.train.log import Log
from inception_bench.train.machine import effective, find_device, make_fabric, norm_statistics
from inception_bench.train.step import NCHW, DivergedError, largest_activation
from inception_bench.train.trained import Trained

EVALUATION_BATCH = 128
NETWORK = "network"  # the folder of the trained network, inside the run's


@dataclass(frozen=True)
class Progress:
    """How far training is, for a line on a screen: step ``step`` of ``steps``.

    ``loss`` and ``accuracy`` (validation top-1, a share from 0 to 1) are the last known; ``images_s`` is in images a
    second, ``left_s`` the seconds that training will still take.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    accuracy: float | None
    images_s: float
    left_s: float


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""


def train(job: Job, folder: Path, report: Report = silent, *, splits: DataSplits | None = None) -> Trained:
    """Train ``job`` in ``folder``, or resume from the checkpoint that is there.

    ``splits`` is the set where the caller has opened it already. On a CPU the same job gives the same
    weights bit for bit, interrupted and resumed or not (with the same number of threads and processes).
    Raises UsageError for a job that cannot be trained, and DivergedError for a loss that is not finite
    (unless ``job.diverge``).
    """
    job.check()
    job = replace(job, machine=replace(job.machine, device=find_device(job.machine.device)))  # ``auto`` is resolved
    fabric = make_fabric(replace(job.machine, threads=job.threads))
    if splits is None:
        with fabric.rank_zero_first(local=True):  # the other processes then find the resized images in the cache
            splits = open_data(job.data, job.size, job.table.preprocessing)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(job, splits, fabric, folder)
    return run.train(report)


class Run:
    """One job being trained: everything that the loop touches."""

    def __init__(self, job: Job, splits: DataSplits, fabric: Fabric, folder: Path):
        self.job, self.splits, self.fabric, self.folder = job, splits, fabric, folder
        chosen = training_images(splits, job.train_images)
        self.steps, self.per_epoch = job.steps(len(chosen)), job.steps_per_epoch(len(chosen))
        self.order = Order(chosen, job.recipe.batch_size, job.seed, job.recipe.reshuffles)
        assembly = assemble(job, len(splits.class_names), fabric)
        self.network, self.probe, self.average = assembly.network, assembly.probe, assembly.average
        self.step, self.state = assembly.step, assembly.state
        self.identity = {**job.identity(), "data_digest": splits.digest}
        self.log = Log(folder / LOG)
        self.accuracy: Accuracy | None = None

    def train(self, report: Report) -> Trained:
        """Run all steps that are left, then evaluate on the validation and the test part."""
        path = self.folder / FILE
        position = load_checkpoint(path, self.state, self.identity)
        self.fabric.barrier()
        if self.fabric.is_global_zero:
            self.log.begin(self._facts(), position.step)
        try:
            position = self._steps(position, report)
        except DivergedError as error:
            self._note("end", error.args[1], outcome="diverged", reason=error.args[0])
            if not self.job.diverge:
                raise DivergedError(error.args[0]) from None
            return self._trained(Position(error.args[1], position.train_s), None, error.args[0])
        self._prepare_probe()
        self.accuracy = self._evaluate(self.splits.validation)
        test = self._evaluate(self.splits.test)
        return self._finish(position, test, self.accuracy)

    def _steps(self, position: Position, report: Report) -> Position:
        spent, saved = position.train_s, time.monotonic()
        evaluated = self.job.evaluation_steps(self.steps) - {self.steps}
        batches = self._batches(range(position.step, self.steps))
        started = time.perf_counter()
        for number, (images, labels) in enumerate(batches, position.step + 1):
            loss, rate = self._run_step(number, images, labels)
            spent += time.perf_counter() - started
            self._note("step", number, epoch=round(number / self.per_epoch, 4), rate=rate, loss=loss)
            if number in evaluated:
                self._prepare_probe()
                self.accuracy = self._evaluate(self.splits.validation)
                self._note("validation", number, top1=self.accuracy.top1, top5=self.accuracy.top5)
            report(self._progress(number, loss, spent))
            if self._due(number, saved):
                self._save(Position(number, spent))
                saved = time.monotonic()
            started = time.perf_counter()
        return Position(self.steps, spent)

    def _run_step(self, number: int, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Run step ``number`` (from 1); returns its loss and learning rate.

        Its random draws follow from the seed, the step and the process alone.
        """
        recipe = self.job.recipe
        rate = recipe.rate * recipe.schedule.at(number - 1, self.steps, self.per_epoch)
        draws = np.random.SeedSequence((self.job.seed, number, self.fabric.global_rank))
        torch.manual_seed(int(draws.generate_state(1)[0]))
        loss = self.step.loss_of(images, labels)
        value = self._mean(loss.detach())
        if not math.isfinite(value):
            where, size = largest_activation(self.network, images)
            raise DivergedError(
                f"loss {value} in step {number} of {self.steps} at learning rate {rate:.3g}; "
                f"the largest activation is in {where} ({size:.3g}); give a lower rate, or a recipe that clips",
                number,
            )
        self.step.update(loss, rate)
        if self.average is not None:
            self.average.update_parameters(self.network)
        return value, rate

    def _mean(self, loss: Tensor) -> float:
        if self.fabric.world_size == 1:
            return float(loss)
        mean: Any = self.fabric.all_reduce(loss, reduce_op="mean")
        return float(mean)

    def _batches(self, steps: range) -> Any:
        rank, world = self.fabric.global_rank, self.fabric.world_size
        own = Batches(self.splits.train, self.order, self.job.recipe.augmentation, rank, world)
        batches = loader(own, steps, self.job.machine.workers)
        return self.fabric.setup_dataloaders(batches, use_distributed_sampler=False)

    def _prepare_probe(self) -> None:
        """Make ``probe`` the network as it would be used: averaged weights, fresh statistics, no aux heads."""
        fill_without_aux(self.probe, self.network if self.average is None else self.average.module)
        if self.job.recipe.recalibration:
            part, size = self.splits.train, RECALIBRATION_BATCH
            count = min(self.job.recipe.recalibration, max(len(self.order.chosen) // size, 1))
            fixed = Order(self.order.chosen, min(size, len(self.order.chosen)), 0)
            recalibrate(self.probe, loader(Batches(part, fixed), range(count), 0), self.fabric.device)

    def _evaluate(self, part: Any) -> Accuracy:
        share = (self.fabric.global_rank, self.fabric.world_size)
        batches = evaluation_batches(part, EVALUATION_BATCH, self.job.machine.workers, share)
        return evaluate(self.probe, batches, len(self.splits.class_names), self.fabric)

    def _due(self, number: int, saved: float) -> bool:
        if number == self.steps:
            return True
        if self.job.checkpoint_steps is not None:
            return number % self.job.checkpoint_steps == 0
        return time.monotonic() - saved >= self.job.checkpoint_s

    def _save(self, position: Position) -> None:
        if self.fabric.is_global_zero:
            save_checkpoint(self.folder / FILE, self.state, position, self.identity)

    def _note(self, kind: str, step: int, **values: Any) -> None:
        if self.fabric.is_global_zero:
            self.log.write(kind, step, **values)

    def _progress(self, number: int, loss: float, spent: float) -> Progress:
        pace = spent / number
        accuracy = None if self.accuracy is None else self.accuracy.top1
        images_s = self.job.recipe.batch_size / pace
        return Progress(
            number, self.steps, number / self.per_epoch, loss, accuracy, images_s, (self.steps - number) * pace
        )

    def _facts(self) -> dict[str, Any]:
        batch = self.job.recipe.batch_size
        return {
            **self.identity,
            "steps": self.steps,
            "steps_per_epoch": self.per_epoch,
            "processes": self.fabric.world_size,
            "device": str(self.fabric.device),
            **effective(self.fabric),
            "threads": torch.get_num_threads(),
            "batch_norm_statistics": norm_statistics(self.network, self.fabric, batch),
        }

    def _finish(self, position: Position, test: Accuracy, validation: Accuracy) -> Trained:
        target = self.folder / NETWORK
        if self.fabric.is_global_zero:
            target.mkdir(exist_ok=True)
            classes = len(self.splits.class_names)
            self.probe.to(memory_format=NCHW)  # type: ignore[call-overload]
            save_network(self.probe, self.job.model, self.job.width, classes, target, self.job.all_changes)
        self._note("validation", position.step, top1=validation.top1, top5=validation.top5)
        self._note("end", position.step, outcome="ok", top1=test.top1, top5=test.top5, train_s=position.train_s)
        self.fabric.barrier()
        return self._trained(position, test, "")

    def _trained(self, position: Position, test: Accuracy | None, reason: str) -> Trained:
        target = self.folder / NETWORK
        images = position.step * self.job.recipe.batch_size
        return Trained(
            model=self.job.model,
            recipe=self.job.recipe.name,
            scale=self.job.scale,
            dataset=self.splits.name,
            seed=self.job.seed,
            epochs=round(position.step / self.per_epoch, 3),
            train_s=round(position.train_s, 3),
            images_s=round(images / position.train_s, 2) if position.train_s else 0.0,
            top1=test.top1 if test else None,
            top1_ci95_low=test.top1_ci95_low if test else None,
            top1_ci95_high=test.top1_ci95_high if test else None,
            top5=test.top5 if test else None,
            checkpoint=str(target) if test else None,
            outcome="ok" if test else "diverged",
            reason=reason,
            steps=position.step,
            test_images=len(self.splits.test),
            validation_top1=self.accuracy.top1 if self.accuracy else None,
            digest=file_hash(target / WEIGHTS) if test else None,
            data_digest=self.splits.digest,
            log=str(self.log.path),
            **effective(self.fabric),
        )


def training_images(splits: DataSplits, count: int | None) -> np.ndarray:
    """The sorted indices of the training images that are used: all, or ``count`` of them, the same for every seed.

    Raises UsageError where the set has fewer than ``count``.
    """
    everything = len(splits.train)
    if count is None:
        return np.arange(everything)
    if count > everything:
        raise UsageError(f"{splits.name} has {everything} training images, not {count}; give fewer")
    return np.sort(np.random.RandomState(0).permutation(everything)[:count])
