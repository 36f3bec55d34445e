"""Top-1 and top-5 of a network on a part of a set, counted by torchmetrics."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from inception_bench.train.accuracy import Accuracy, accuracy

KEPT: list[torch.library.Library] = []  # libraries of operators; an operator is gone once its library is


def evaluate(network: nn.Module, batches: Iterable[Any], classes: int, fabric: Fabric) -> Accuracy:
    """Accuracy of ``network`` (on the fabric's device) in evaluation mode.

    ``batches`` are images (N, 3, H, W) and labels (N,), class numbers from 0 to below ``classes``. With several
    processes each brings its own batches, and each gets the accuracy over the batches of all.
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
    # Count 0 is of true positives; count 4 is their sum with false negatives, which is the number of images.
    right, among_five = ([int(value) for value in (counts[0], counts[4])] for counts in _both(stats.compute(), classes))
    return accuracy(right[0], among_five[0], right[1])


def ks(classes: int) -> tuple[int, int]:
    """For which k the top-k accuracy is counted: 1 and 5, or 1 and ``classes`` where there are fewer than 5."""
    return 1, min(5, classes)


def _both(counts: dict[str, Tensor], classes: int) -> tuple[Tensor, Tensor]:
    one, five = ks(classes)
    return counts[f"top{one}"], counts[f"top{five}"]


def import_torchmetrics() -> ModuleType:
    """Import torchmetrics, which itself imports torchvision wherever torchvision is installed.

    A torchvision from the package index beside a CPU build of torch fails at its import, because two
    operators are missing. It is enough to declare them by name: nothing here calls them.
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
