"""A proxy's arm as a job: from the ledger's design to what trains. Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from inception_bench.claims.proxy import Arm, Proxy
from inception_bench.models.changes import Changes
from inception_bench.train.job import Job, Machine
from inception_bench.train.recipes import find_recipe

# Batches on which batch norm statistics are set anew before each look at the accuracy.
RECALIBRATION = 8


def job_of_arm(proxy: Proxy, arm: Arm, seed: int, threads: int) -> Job:
    """The training of one arm from one seed; equal arms of two proxies are equal jobs."""
    recipe = replace(find_recipe(proxy.recipe, arm.model), **{"recalibration": RECALIBRATION, **arm.recipe})
    return Job(
        arm.model,
        proxy.data,
        recipe,
        seed=seed,
        width_mult=arm.width_mult,
        input_size=proxy.input_size,
        max_steps=proxy.steps,
        changes=Changes(**arm.changes) if arm.changes else None,
        paired=True,
        train_images=proxy.train_images,
        evaluate_at=tuple(range(proxy.every, proxy.steps + 1, proxy.every)),
        evaluations=1,
        machine=Machine(threads=threads),
    )
