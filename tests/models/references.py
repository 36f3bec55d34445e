"""The public networks that ours are compared with, and how their layers and weights are read."""

from __future__ import annotations

import torch

_LIBRARY = None


def allow_torchvision() -> None:
    """Make ``import torchvision`` work beside a torch built for the CPU.

    torchvision from the package index is built for CUDA: beside another torch its compiled operators
    do not load, and its import fails on the two that it registers shapes for. Its networks need none.
    """
    global _LIBRARY
    if _LIBRARY is None and not hasattr(torch.ops.torchvision, "nms"):
        _LIBRARY = torch.library.Library("torchvision", "DEF")
        _LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
