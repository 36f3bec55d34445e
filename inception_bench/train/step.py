"""One training step: forward with aux losses, backward, clip, update. The loop runs it and a suite times it."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from inception_bench.models.network import Network
from inception_bench.train.recipe import Recipe

NCHW, NHWC = torch.contiguous_format, torch.channels_last


class DivergedError(ArithmeticError):
    """A loss that is no number; the message says in which step, at which rate, and where activations are largest."""


class Step:
    """A network and its optimiser, set up for a device; a call trains on one batch.

    ``network`` and ``optimiser`` are what ``fabric.setup`` gave; images are brought to
    ``memory_format``, which is the network's. With an aux head the loss is the classifier's
    cross-entropy plus each aux head's times its table's weight (arXiv:1409.4842, section 5).
    ``loss_of`` and ``update`` are the two halves, for a caller who looks at the loss between.
    """

    def __init__(
        self, fabric: Fabric, network: Any, optimiser: Any, recipe: Recipe, memory_format: torch.memory_format = NCHW
    ):
        self.fabric, self.network, self.optimiser, self.recipe = fabric, network, optimiser, recipe
        inner: Network = network.module if hasattr(network, "module") else network
        self.aux_weights = {head.aux.at: head.aux.loss_weight for head in inner.plan.aux}
        self.memory_format = memory_format
        self.cross_entropy = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        if self.aux_weights:
            network.mark_forward_method("forward_aux")

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        """Train on images (N, 3, H, W) and labels (N,) at a learning rate; returns the loss before the update."""
        loss = self.loss_of(images, labels)
        self.update(loss, rate)
        return loss.detach()

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """The forward half."""
        images = images.contiguous(memory_format=self.memory_format)
        if not self.aux_weights:
            plain: Tensor = self.cross_entropy(self.network(images), labels)
            return plain
        logits, aux_logits = self.network.forward_aux(images)
        loss: Tensor = self.cross_entropy(logits, labels)
        for at, weight in self.aux_weights.items():
            loss = loss + weight * self.cross_entropy(aux_logits[at], labels)
        return loss

    def update(self, loss: Tensor, rate: float) -> None:
        """The backward half."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        self.fabric.backward(loss)
        if self.recipe.clip is not None:
            self.fabric.clip_gradients(
                self.network, self.optimiser, max_norm=self.recipe.clip, error_if_nonfinite=False
            )
        self.optimiser.step()


def largest_activation(network: Network, images: Tensor) -> tuple[str, float]:
    """The end point with the largest absolute activation on ``images``, or the first that is not finite."""
    largest = ("", -1.0)
    with torch.no_grad():
        for name, rows in network.forward_rows(images).items():
            value = float(rows.abs().max())
            if not value < float("inf"):
                return name, value
            largest = max(largest, (name, value), key=lambda pair: pair[1])
    return largest
