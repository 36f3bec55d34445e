"""The networks of a job: the one that is trained, and the one that training delivers."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from inception_bench.models.initialise import initialise_by_name
from inception_bench.models.network import Network
from inception_bench.models.public import create_model
from inception_bench.train.first_weights import draw_as_caffe, quieten_stem
from inception_bench.train.job import Job


def make_networks(job: Job, classes: int) -> tuple[Network, Network]:
    """The network to train, and beside it the same network without aux heads, into which trained weights are copied.

    The first weights of the network to train are drawn from the job's seed.
    """
    options: dict[str, Any] = {"num_classes": classes, "width_mult": job.width, "changes": job.all_changes}
    torch.manual_seed(job.seed)
    network = create_model(job.model, aux=job.aux, **options)
    if job.paired:
        initialise_by_name(network, {head.aux.at: head.aux.stds for head in network.plan.aux}, job.seed)
    probe = create_model(job.model, **options).requires_grad_(False)
    normalised = any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    if job.recipe.first_weights != "slim" and not normalised:
        draw_as_caffe(network)
        if job.recipe.first_weights == "caffe-quiet-stem":
            quieten_stem(network)
    if not job.recipe.dropout:
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
    return network, probe
