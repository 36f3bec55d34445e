"""The papers' own way to write a branch, read into operations.

A branch is a line of steps, left to right::

    "1x1:64 3x3:96 3x3:96"          three convolutions, each followed by norm and activation
    "avg3x3 1x1:96"                 a pool, then a convolution
    "1x1:384 1x3:256|3x1:256"       siblings: both read the 1x1's output, their outputs are concatenated

A step is ``HxW`` (kernel, height first), then optionally, in this order:

==========  =====================================================================================
``/2``      stride (default 1)
``V``       valid padding; without it the padding is "same"
``C``       pools only: no padding, and the grid is rounded up (Caffe's rule, ``ceil_mode``)
``T``       pools only: "same" padding as TensorFlow lays it, whatever the definition's style
``:64``     filters of a convolution; ``:x8`` is a depthwise convolution with channel multiplier 8
``g2``      groups of a convolution (default 1)
``L``       linear: bias, no norm, no activation
``N``       normalised but not activated
``P``       plain: bias and activation, but no norm, whatever the definition's style
``B``       bare: no bias, no norm, no activation (the first half of a separable convolution)
==========  =====================================================================================

``max`` or ``avg`` before the kernel makes it a pool, and ``lrn`` alone is local response
normalisation (arXiv:1409.4842 after Krizhevsky et al.: 5 channels, alpha 1e-4, beta 0.75).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = re.compile(
    r"(?P<pool>max|avg)?(?P<height>\d+)x(?P<width>\d+)(?:/(?P<stride>\d+))?(?P<padding>[VCT])?"
    r"(?::(?P<multiplier>x)?(?P<filters>\d+)(?:g(?P<groups>\d+))?)?(?P<after>[LNPB])?"
)


@dataclass(frozen=True)
class Conv:
    """A convolution. ``multiplier`` is set instead of ``filters`` where it is depthwise."""

    kernel: tuple[int, int]
    filters: int
    stride: int = 1
    padding: str = "same"  # same, valid
    depthwise: bool = False
    after: str = "full"  # full (norm and activation), linear, norm, plain, bare
    groups: int = 1


@dataclass(frozen=True)
class Pool:
    """A pooling step; ``padding`` is same, valid, ceil or tensorflow."""

    kind: str
    kernel: tuple[int, int]
    stride: int = 1
    padding: str = "same"


@dataclass(frozen=True)
class Lrn:
    """Local response normalisation over ``size`` neighbouring channels."""

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75


@dataclass(frozen=True)
class Fork:
    """Siblings: each reads the same input, and their outputs are concatenated in order."""

    siblings: tuple[Conv | Pool, ...]


Step = Conv | Pool | Lrn | Fork
Branch = tuple[Step, ...]

_AFTER = {None: "full", "L": "linear", "N": "norm", "P": "plain", "B": "bare"}
_PADDING = {None: "same", "V": "valid", "C": "ceil", "T": "tensorflow"}
_POOLS_ONLY = ("ceil", "tensorflow")


def parse_branch(line: str) -> Branch:
    """Read one branch. Raises ValueError that shows the step which could not be read."""
    return tuple(_parse_step(word, line) for word in line.split())


def _parse_step(word: str, line: str) -> Step:
    if word == "lrn":
        return Lrn()
    if "|" in word:
        return Fork(tuple(_parse_single(sibling, line) for sibling in word.split("|")))
    return _parse_single(word, line)


def _parse_single(word: str, line: str) -> Conv | Pool:
    match = _STEP.fullmatch(word)
    if match is None:
        raise ValueError(
            f"{word!r} in branch {line!r} is not a step; write a convolution as 3x3/2V:64 or a pool as max3x3/2"
        )
    kernel = (int(match["height"]), int(match["width"]))
    stride, padding = int(match["stride"] or 1), _PADDING[match["padding"]]
    if match["pool"]:
        if match["filters"] or match["after"]:
            raise ValueError(f"{word!r} in branch {line!r}: a pool has no filters")
        return Pool(match["pool"], kernel, stride, padding)
    if match["filters"] is None or padding in _POOLS_ONLY:
        raise ValueError(f"{word!r} in branch {line!r}: a convolution is written with its filters, and V or no padding")
    depthwise, groups = bool(match["multiplier"]), int(match["groups"] or 1)
    return Conv(kernel, int(match["filters"]), stride, padding, depthwise, _AFTER[match["after"]], groups)


def format_step(step: Step) -> str:
    """Write a step back in the notation; ``parse_branch(format_step(s)) == (s,)``."""
    if isinstance(step, Lrn):
        return "lrn"
    if isinstance(step, Fork):
        return "|".join(format_step(sibling) for sibling in step.siblings)
    size = f"{step.kernel[0]}x{step.kernel[1]}" + (f"/{step.stride}" if step.stride > 1 else "")
    size += {"same": "", "valid": "V", "ceil": "C", "tensorflow": "T"}[step.padding]
    if isinstance(step, Pool):
        return step.kind + size
    filters = f":x{step.filters}" if step.depthwise else f":{step.filters}"
    filters += f"g{step.groups}" if step.groups > 1 else ""
    return size + filters + {"full": "", "linear": "L", "norm": "N", "plain": "P", "bare": "B"}[step.after]


def format_branch(branch: Branch) -> str:
    """Write a branch back in the notation."""
    return " ".join(format_step(step) for step in branch)
