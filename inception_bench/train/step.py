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
    """The loss is not finite; the message says in which step, at which rate, and where activations are largest.

    The loop raises this with two arguments, the message and the step's number (from 1); ``train`` with the message.
    """


class Step:
    """A network and its optimiser, set up for a device; a call trains on one batch.

    ``network`` and ``optimiser`` are what ``fabric.setup`` returned. Images are float32 (N, 3, H, W), normalised as the
    network's table says; labels are int64 (N,), class numbers from 0. Both lie on the fabric's device. Images are
    brought to ``memory_format``, which must be that of the network.

    The loss is a tensor of one number (shape ()): the cross-entropy of the classifier's logits (N, classes), as the
    mean over the batch, plus that of each aux head times the head's loss weight (arXiv:1409.4842, section 5).
    ``loss_of`` and ``update`` are the two halves of a step, for a caller that checks the loss between them.
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
        """Train on images (N, 3, H, W) and labels (N,) at the learning rate ``rate``.

        Returns the loss before the update, shape (), detached from its graph.
        """
        loss = self.loss_of(images, labels)
        self.update(loss, rate)
        return loss.detach()

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """The forward half: the loss, shape (), of images (N, 3, H, W) and labels (N,), for ``update``."""
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
        """The backward half: one update at the learning rate ``rate`` by the gradients of ``loss``."""
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
    """The end point with the largest absolute activation on ``images`` (N, 3, H, W), and that activation.

    Where activations are not finite, the first end point that has such activations is returned.
    """
    largest = ("", -1.0)
    with torch.no_grad():
        for name, rows in network.forward_rows(images).items():
            value = float(rows.abs().max())
            if not value < float("inf"):
                return name, value
            largest = max(largest, (name, value), key=lambda pair: pair[1])
    return largest
