"""What a job runs on: Fabric's device, precision and processes, and whether a GPU may round to TF32."""

from __future__ import annotations

import os
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from inception_bench.backends.torch_session import refuses
from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.train.job import FULL, PRECISIONS, TF32, Machine

DEVICES = ("cpu", "cuda", "auto")
# The name that ``refuses`` has for what a precision needs of the device.
_NEEDED = {TF32: "tf32", "bf16-mixed": "bf16"}


def make_fabric(machine: Machine) -> Fabric:
    """Fabric for one process, or for each of those that ``torchrun`` started.

    Whatever this process computes afterwards, in training and in evaluation, has the machine's precision. So TF32, to
    which cuDNN rounds by default, is off unless the precision is ``tf32``. Raises UsageError for a device that is not
    here, or a precision that the device does not have.
    """
    device = find_device(machine.device)
    _check_precision(device, machine.precision)
    allow_tf32(machine.precision == TF32)
    if machine.threads is not None:
        torch.set_num_threads(machine.threads)
    chosen = {"accelerator": device, "precision": PRECISIONS[machine.precision]}
    if not torch.distributed.is_torchelastic_launched():
        fabric = Fabric(devices=1, **chosen)  # type: ignore[arg-type]
    else:
        local, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
        fabric = Fabric(devices=local, num_nodes=world // local, strategy="ddp", **chosen)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def find_device(name: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` means cuda where torch finds a GPU.

    Raises UsageError for a device that is not here.
    """
    if name not in DEVICES:
        raise UnknownNameError("device", name, DEVICES)
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("device cuda is not available here (torch finds no GPU); give cpu")
    if name == "auto":
        return "cuda" if available else "cpu"
    return name


def _check_precision(device: str, precision: str) -> None:
    if precision == TF32 and device == "cpu":
        raise UsageError(f"precision {TF32} is of NVIDIA's GPUs; give {FULL}, or device cuda")
    reason = refuses(device, _NEEDED.get(precision, "fp32"))
    if reason is not None:
        raise UsageError(f"precision {precision} is not possible here: {reason}; give {FULL}")


def allow_tf32(allowed: bool) -> None:
    """Set whether convolutions and matrix products of binary32 may round factors to TF32, in the whole process."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def effective(fabric: Fabric) -> dict[str, Any]:
    """In what arithmetic this process computes, read from torch and Fabric, as plain JSON values.

    ``precision``, a name of ``PRECISIONS``; ``tf32``, whether binary32 may round to TF32 (None on a CPU, which has
    none); ``gpu``, the card's name (None on a CPU).
    """
    name = str(fabric.strategy.precision.precision)
    if fabric.device.type != "cuda":
        return {"precision": name, "tf32": None, "gpu": None}
    tf32 = torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32
    precision = TF32 if tf32 and name == FULL else name
    return {"precision": precision, "tf32": tf32, "gpu": torch.cuda.get_device_name(fabric.device)}


def share_of(batch_size: int, world: int) -> int:
    """Images of a batch that each process takes. Raises UsageError where the batch does not divide evenly."""
    if batch_size % world:
        raise UsageError(f"a batch of {batch_size} images cannot be shared by {world} processes; give a multiple")
    return batch_size // world


def synchronise_norms(network: nn.Module, fabric: Fabric) -> None:
    """Make batch norms inside ``network`` span all processes, where they are on GPUs (torch has none for CPUs)."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)


def norm_statistics(network: nn.Module, fabric: Fabric, batch_size: int) -> str:
    """Over which images batch normalisation takes its statistics, in words for the log."""
    if not any(isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm) for module in network.modules()):
        return "none: no batch normalisation"
    if fabric.world_size == 1:
        return f"whole batch of {batch_size}, one process"
    if fabric.device.type == "cuda":
        return f"whole batch of {batch_size}, SyncBatchNorm over {fabric.world_size} processes"
    own = share_of(batch_size, fabric.world_size)
    return f"per process: each of {fabric.world_size} over its own {own} images; running statistics of process 0"
