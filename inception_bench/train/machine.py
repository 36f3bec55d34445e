"""What a job runs on: Fabric's device, precision and processes."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric
from torch import nn

from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.train.job import Machine

DEVICES = ("cpu", "cuda", "auto")


def make_fabric(machine: Machine) -> Fabric:
    """Fabric for one process, or for each of those that ``torchrun`` started. Raises UsageError without the device."""
    if machine.device not in DEVICES:
        raise UnknownNameError("device", machine.device, DEVICES)
    if machine.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("device cuda is not available here (torch finds no GPU); give cpu")
    if machine.threads is not None:
        torch.set_num_threads(machine.threads)
    chosen = {"accelerator": machine.device, "precision": machine.precision}
    if not torch.distributed.is_torchelastic_launched():
        fabric = Fabric(devices=1, **chosen)  # type: ignore[arg-type]
    else:
        local, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
        fabric = Fabric(devices=local, num_nodes=world // local, strategy="ddp", **chosen)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def share_of(batch_size: int, world: int) -> int:
    """Images of a batch that each process takes. Raises UsageError where they do not come out even."""
    if batch_size % world:
        raise UsageError(f"a batch of {batch_size} images cannot be shared by {world} processes; give a multiple")
    return batch_size // world


def synchronise_norms(network: nn.Module, fabric: Fabric) -> None:
    """Make batch norms inside ``network`` span all processes, where they are on GPUs (torch has none for CPUs)."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)


def norm_statistics(network: nn.Module, fabric: Fabric, batch_size: int) -> str:
    """Which images batch normalisation is over, in words for the log."""
    if not any(isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm) for module in network.modules()):
        return "none: no batch normalisation"
    if fabric.world_size == 1:
        return f"whole batch of {batch_size}, one process"
    if fabric.device.type == "cuda":
        return f"whole batch of {batch_size}, SyncBatchNorm over {fabric.world_size} processes"
    own = share_of(batch_size, fabric.world_size)
    return f"per process: each of {fabric.world_size} over its own {own} images; running statistics of process 0"
