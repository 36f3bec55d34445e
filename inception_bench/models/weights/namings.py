"""The namings of public code, by network: torchvision, timm and Cadene, and facenet-pytorch.

Each function turns a place in the table into the name that the code gives it. timm's Inception-v3
has torchvision's names; Cadene's Inception-v4 and Inception-ResNet-v2 have timm's, but for the last
layer of the latter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from inception_bench.models.notation import Branch, Fork, Pool
from inception_bench.models.weights.checkpoint_names import UP, Naming, Slot, convolutions, square_kernels

_PAPER_NAME = re.compile(r"inception \((\w+)\)")
_KERNELS = {(): "1x1", (3,): "3x3", (5,): "5x5", (7,): "7x7", (3, 3): "3x3dbl", (7, 7): "7x7dbl", (7, 3): "7x7x3"}


def _branch(slot: Slot) -> Branch:
    return slot.row.row.branches[slot.branch]


def _module(slot: Slot) -> str:
    """The paper's name of a module (3a); empty for other rows."""
    match = _PAPER_NAME.fullmatch(slot.row.row.paper)
    return match[1] if match else ""


def _end_point(slot: Slot) -> str:
    """The end point without its kernel: Conv2d_1a_3x3 is Conv2d_1a."""
    return re.sub(r"_\d+x\d+$", "", slot.row.name)


def torchvision_googlenet(slot: Slot) -> str:
    """conv1, conv2, conv3; inception4b.branch2.1; aux1.conv."""
    if slot.aux:
        return f"aux{slot.aux}.conv"
    if not _module(slot):
        return {"Conv2d_1a": "conv1", "Conv2d_2b": "conv2", "Conv2d_2c": "conv3"}[_end_point(slot)]
    place = f".{slot.step}" if len(_branch(slot)) > 1 else ""
    return f"inception{_module(slot)}.branch{slot.branch + 1}{place}"


def torchvision_inception_v3(slot: Slot) -> str:
    """The end point's name; in modules the kernels of the branch: branch7x7dbl_3, branch3x3_2a."""
    if slot.aux:
        return f"AuxLogits.conv{slot.step - 1}"
    if len(slot.row.row.branches) == 1:
        return slot.row.name
    branch = _branch(slot)
    if isinstance(branch[0], Pool):
        return f"{slot.row.name}.branch_pool"
    place = f"_{slot.step + 1}" if len(branch) > 1 else ""
    letter = "ab"[slot.sibling] if slot.sibling >= 0 else ""
    return f"{slot.row.name}.branch{_KERNELS[square_kernels(branch)]}{place}{letter}"


def _numbered(slot: Slot) -> str:
    """timm's and Cadene's branches: .branch0, .branch1.2, with a fork .branch1_1a; .conv beside a bare pool."""
    branches = slot.row.row.branches
    if slot.branch == UP:
        return ".conv2d"
    if len(branches) == 1:
        return ""
    if sum(convolutions(branch) for branch in branches) == 1:
        return ".conv"
    branch = _branch(slot)
    if any(isinstance(step, Fork) for step in branch) and convolutions(branch) > 1:
        return f".branch{slot.branch}_{slot.step}" + ("ab"[slot.sibling] if slot.sibling >= 0 else "")
    return f".branch{slot.branch}" + (f".{slot.step}" if len(branch) > 1 else "")


def timm_inception_v4(slot: Slot) -> str:
    """features.9.branch2.1: the rows counted from 0."""
    return slot.prefix if slot.aux else f"features.{slot.number}{_numbered(slot)}"


def _inception_resnet(slot: Slot, stages: dict[str, str]) -> str:
    """conv2d_1a, mixed_5b.branch1.0, repeat_1.4.branch0, repeat_1.4.conv2d, block8.conv2d."""
    if slot.aux:
        return slot.prefix
    stage, _, number = slot.row.name.partition("_")
    if stage not in stages:
        return _end_point(slot).lower() + _numbered(slot)
    block = f"{stages[stage]}.{int(number) - 1}" if slot.row.row.activated else "block8"
    return block + _numbered(slot)


def timm_inception_resnet_v2(slot: Slot) -> str:
    """The repeated modules are repeat, repeat_1 and repeat_2."""
    return _inception_resnet(slot, {"Block35": "repeat", "Block17": "repeat_1", "Block8": "repeat_2"})


def facenet_inception_resnet_v1(slot: Slot) -> str:
    """The repeated modules are repeat_1, repeat_2 and repeat_3."""
    return _inception_resnet(slot, {"Block35": "repeat_1", "Block17": "repeat_2", "Block8": "repeat_3"})


def cadene_bn_inception(slot: Slot) -> str:
    """conv2_3x3_reduce; inception_3a_double_3x3_1, inception_3a_pool_proj."""
    if not _module(slot):
        stem = {"Conv2d_1a": "conv1_7x7_s2", "Conv2d_2b": "conv2_3x3_reduce", "Conv2d_2c": "conv2_3x3"}
        return stem[_end_point(slot)] + (f"_{slot.step}" if slot.step else "")
    branch = _branch(slot)
    name = {(): "1x1", (3,): "3x3", (3, 3): "double_3x3"}[square_kernels(branch)]
    if isinstance(branch[0], Pool):
        name = "pool_proj"
    elif len(branch) > 1 and slot.step == 0:
        name += "_reduce"
    elif len(branch) > 2:
        name += f"_{slot.step}"
    return f"inception_{_module(slot)}_{name}"


def _naming(source: str, place: Callable[[Slot], str], linear: Callable[[int, int, str], str], **rest: Any) -> Naming:
    """A naming whose convolutions are ``.conv`` and ``.bn`` of a block, but for a residual row's 1x1."""

    def conv(slot: Slot) -> str:
        return place(slot) + ("" if slot.branch == UP else ".conv")

    return Naming(source, conv, lambda slot: place(slot) + ".bn", linear, **rest)


OWN = Naming("inception_bench", lambda s: f"{s.prefix}.conv", lambda s: f"{s.prefix}.norm", lambda _, __, ours: ours)
_TIMM_V4 = _naming("timm or Cadene", timm_inception_v4, lambda aux, _, ours: ours if aux else "last_linear")
_TIMM_RESNET = _naming("timm", timm_inception_resnet_v2, lambda aux, _, ours: ours if aux else "classif")
_CADENE_RESNET = _naming("Cadene", timm_inception_resnet_v2, lambda aux, _, ours: ours if aux else "last_linear")
_FACENET = _naming(
    "facenet-pytorch",
    facenet_inception_resnet_v1,
    lambda _, __, ours: ours,
    beside=("last_linear.", "last_bn.", "logits."),
    headless=True,
)
_CADENE_BN = Naming(
    "Cadene", cadene_bn_inception, lambda slot: f"{cadene_bn_inception(slot)}_bn", lambda *_: "last_linear"
)
_TORCHVISION_V1 = _naming(
    "torchvision", torchvision_googlenet, lambda aux, place, _: f"aux{aux}.fc{place}" if aux else "fc"
)
_TORCHVISION_V3 = _naming(
    "torchvision or timm", torchvision_inception_v3, lambda aux, *_: "AuxLogits.fc" if aux else "fc"
)

NAMINGS: dict[str, tuple[Naming, ...]] = {
    "googlenet": (_TORCHVISION_V1,),
    "bn_inception": (_CADENE_BN,),
    "inception_v3": (_TORCHVISION_V3,),
    "inception_v4": (_TIMM_V4,),
    "inception_resnet_v1": (_FACENET,),
    "inception_resnet_v2": (_TIMM_RESNET, _CADENE_RESNET),
}


def namings(network: str) -> tuple[Naming, ...]:
    """Every naming that is known for a network, our own first."""
    return (OWN, *NAMINGS.get(network, ()))
