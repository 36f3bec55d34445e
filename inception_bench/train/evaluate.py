"""Top-1 and top-5 of a network on a part of a set, counted by torchmetrics."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from inception_bench.train.accuracy import Accuracy, accuracy

KEPT: list[torch.library.Library] = []  # an operator lives as long as its library


def evaluate(network: nn.Module, batches: Iterable[Any], classes: int, fabric: Fabric) -> Accuracy:
    """Accuracy of ``network`` (on the fabric's device) over batches of images and labels, in evaluation mode.

    With several processes each brings its own batches, and all get the answer for all of them.
    """
    metrics = import_torchmetrics()
    stats = metrics.MetricCollection(
        {f"top{k}": metrics.classification.MulticlassStatScores(classes, top_k=k, average="micro") for k in ks(classes)}
    ).to(fabric.device)
    was_training = network.training
    network.eval()
    with torch.inference_mode(), fabric.autocast():
        for images, labels in batches:
            stats.update(network(images.to(fabric.device)).float(), labels.to(fabric.device))
    network.train(was_training)
    # True positives and their sum with false negatives, which is the number of images.
    right, among_five = ([int(value) for value in (found[0], found[4])] for found in _both(stats.compute(), classes))
    return accuracy(right[0], among_five[0], right[1])


def ks(classes: int) -> tuple[int, int]:
    """Which top-k are counted: one and five, or all where there are fewer classes."""
    return 1, min(5, classes)


def _both(found: dict[str, Tensor], classes: int) -> tuple[Tensor, Tensor]:
    one, five = ks(classes)
    return found[f"top{one}"], found[f"top{five}"]


def import_torchmetrics() -> ModuleType:
    """torchmetrics, which imports torchvision where it is installed, needed or not.

    A torchvision from the package index beside a CPU build of torch fails at that for want of two
    operators, whose names are enough: nothing here calls them.
    """
    try:
        import torchmetrics
    except RuntimeError:
        if hasattr(torch.ops.torchvision, "nms"):
            raise
        KEPT.append(torch.library.Library("torchvision", "DEF"))
        KEPT[0].define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        KEPT[0].define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchmetrics
    return torchmetrics
