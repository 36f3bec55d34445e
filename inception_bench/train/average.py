"""The network that is evaluated: averaged weights, batch norm statistics that fit them, no aux heads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

# How many images a batch has when batch norm statistics are set anew. A 1x1 map has one value per image, and with
# this many values its variance is more than noise.
RECALIBRATION_BATCH = 64


def make_average(network: nn.Module, decay: float) -> AveragedModel:
    """A running average of weights and of batch norm statistics, as TensorFlow's released training code keeps it.

    ``decay`` (0 to 1) is the share of the old average that one step keeps. After n updates that code caps it at
    ``(1 + n) / (10 + n)``, so that the first weights are soon forgotten (``ExponentialMovingAverage`` with its
    ``num_updates``).
    """

    @torch.no_grad()
    def blend(averaged: Any, current: Any, updates: Tensor | int) -> None:
        if not averaged[0].is_floating_point():  # counts of batches
            torch._foreach_copy_(averaged, current)
            return
        count = int(updates)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + count) / (10 + count)))

    return AveragedModel(network, multi_avg_fn=blend, use_buffers=True)


def fill_without_aux(target: nn.Module, source: nn.Module) -> None:
    """Copy the weights of ``source`` into ``target``, the same network without aux heads."""
    state = {name: tensor for name, tensor in source.state_dict().items() if not name.startswith("aux.")}
    target.load_state_dict(state)


def recalibrate(network: nn.Module, batches: Iterable[Any], device: torch.device) -> None:
    """Set every batch norm's statistics to the mean over ``batches`` of images (N, 3, H, W) and labels (N,).

    Averaged weights need this: the running statistics were gathered under the weights of the single
    steps, and are not those of the averaged network (arXiv:1803.05407, section 3.2).
    """
    with torch.no_grad():
        update_bn(batches, network, device)
