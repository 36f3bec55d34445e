"""``python -m inception_bench.trainer``: the process that trains, and times training steps from within."""

from __future__ import annotations

import gc
import resource
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from inception_bench.data.photographs import fill_batch, parity_images
from inception_bench.measure.training import job_of, step_job
from inception_bench.processes.service import Answer, serve
from inception_bench.spec.case import Case
from inception_bench.train.assembly import assemble
from inception_bench.train.course import read_job, train_course
from inception_bench.train.loop import train
from inception_bench.train.machine import effective, make_fabric
from inception_bench.train.step import Step
from inception_bench.worker import peak_rss_bytes, reset_peak_rss, settle

TIMED_RATE = 1e-6  # the factor on the recipe's learning rate while steps are timed


class Trainer:
    """A training job, or a step that is timed round by round."""

    def __init__(self) -> None:
        self.step: Step | None = None
        self.batch: tuple[torch.Tensor, torch.Tensor] | None = None
        self.rate = 0.0

    def train(self, message: dict[str, Any]) -> Answer:
        """Train the weights of a case in the folder ``work``, or resume there; answers with the fields of Trained."""
        return asdict(train(job_of(Case.from_json(message["case"])), Path(message["work"]))), []

    def course(self, message: dict[str, Any]) -> Answer:
        """Train the job of the given fields in the folder ``work``, or resume there; answers with its course."""
        return train_course(read_job(message["job"]), Path(message["work"])), []

    def begin(self, message: dict[str, Any]) -> Answer:
        """Make the network, its optimiser and a batch of photographs; run the warm-up steps, which are not timed.

        Answers with the arithmetic that is in force (``train.machine.effective``), which the record keeps.
        """
        case = Case.from_json(message["case"])
        job = step_job(case)
        fabric = make_fabric(job.machine)
        assembly = assemble(job, case.network.num_classes, fabric)
        assembly.network.train()
        self.step = assembly.step
        batch, photographs = case.runtime.batch_size, parity_images(case.network.input_size, job.table.preprocessing)
        images = torch.from_numpy(fill_batch(photographs, batch))
        labels = torch.arange(batch) % case.network.num_classes
        self.batch = images.to(fabric.device), labels.to(fabric.device)
        # A rate of almost zero: a step's arithmetic does not depend on the rate, and the loss cannot diverge meanwhile.
        self.rate = job.recipe.rate * TIMED_RATE
        for _ in range(message["warmup_rounds"]):
            self._timed()
        gc.collect()
        gc.disable()
        facts = {"peak_was_reset": reset_peak_rss(), "aux": bool(self.step.aux_weights)}
        return {**facts, **effective(fabric)}, []

    def round(self, message: dict[str, Any]) -> Answer:
        """One timed step: forward, backward, update."""
        return {**self._timed(), "settle_s": settle()}, []

    def end(self, message: dict[str, Any]) -> Answer:
        """The peaks of memory in bytes over the timed steps; None for the device where that is a CPU."""
        on_device = torch.cuda.is_available() and self.batch is not None and self.batch[0].is_cuda
        device = torch.cuda.max_memory_allocated() if on_device else None
        return {"peak_rss_bytes": peak_rss_bytes(), "peak_device_bytes": device}, []

    def _timed(self) -> dict[str, Any]:
        if self.step is None or self.batch is None:
            raise RuntimeError("no step was begun")
        images, labels = self.batch
        self._synchronise()
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        start = time.perf_counter()
        self.step(images, labels, self.rate)
        self._synchronise()
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "preempted": resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - switches}

    def _synchronise(self) -> None:
        if self.batch is not None and self.batch[0].is_cuda:
            torch.cuda.synchronize()


def main() -> None:
    """Answer the coordinator until it hangs up."""
    trainer = Trainer()
    serve({verb: getattr(trainer, verb) for verb in ("train", "course", "begin", "round", "end")})


if __name__ == "__main__":
    main()
