"""A job's network, optimiser and average, set up on a device and ready to step."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_fabric import Fabric
from torch.optim.swa_utils import AveragedModel

from inception_bench.models.network import Network
from inception_bench.train.average import make_average
from inception_bench.train.checkpoint import State
from inception_bench.train.job import Job
from inception_bench.train.machine import share_of, synchronise_norms
from inception_bench.train.networks import make_networks
from inception_bench.train.optimisers import make_optimiser
from inception_bench.train.step import NCHW, NHWC, Step


@dataclass(frozen=True)
class Assembly:
    """Everything of a job that lives on a device.

    ``step`` trains ``network``; ``average`` (None without averaging) is the running average of its weights.
    ``probe`` is the same network without aux heads: the weights to evaluate are copied into it, and training
    delivers it. ``state`` holds what a checkpoint saves.
    """

    network: Network
    probe: Network
    average: AveragedModel | None
    step: Step
    state: State


def assemble(job: Job, classes: int, fabric: Fabric) -> Assembly:
    """Make everything of ``job`` but its images, on the fabric's device, with first weights from the job's seed.

    ``classes`` is how many the data set has. Raises UsageError where the processes cannot share a batch evenly.
    """
    share_of(job.recipe.batch_size, fabric.world_size)
    network, probe = make_networks(job, classes)
    synchronise_norms(network, fabric)
    layout = NHWC if job.machine.channels_last else NCHW
    network.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stubs lack it
    optimiser = make_optimiser(network, job.recipe)
    average = None if job.recipe.averaging is None else make_average(network, job.recipe.averaging)
    wrapped_network, wrapped_optimiser = fabric.setup(network, optimiser)
    for module in (probe, average):
        if module is not None:
            module.to(fabric.device, memory_format=layout)  # type: ignore[call-overload]
    step = Step(fabric, wrapped_network, wrapped_optimiser, job.recipe, layout)
    return Assembly(network, probe, average, step, State(network, optimiser, average))
