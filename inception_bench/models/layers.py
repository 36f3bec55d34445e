"""The steps of a network that torch has no module for; each takes and gives maps (N, C, H, W)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResponseNorm(nn.LocalResponseNorm):
    """Local response normalisation (N, C, H, W), in float32 for maps of 16 bits.

    The norm squares its input. GoogLeNet's has values of up to 452, whose square is above 65,504, the largest number of
    half precision. The result has the type of the input, and an export contains both casts.
    """

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float() if x.dtype == torch.float16 or x.dtype == torch.bfloat16 else x
        return nn.functional.local_response_norm(wide, self.size, self.alpha, self.beta, self.k).to(x.dtype)


class Concat(nn.Module):
    """Branches side by side on one input (N, C, H, W); outputs concatenated along channels."""

    def __init__(self, branches: list[nn.Module]):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for branch in self.branches:
            outputs.append(branch(x))  # noqa: PERF401 - TorchScript reads no comprehension over modules
        return torch.cat(outputs, 1)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's "same" padding before and after a side of ``size``, for a kernel of at least the stride.

    It depends on the size: for a kernel of 3 at stride 2 there is one cell after an even side, and one cell before and
    one after an odd side.
    """
    total = kernel - stride + (stride - size % stride) % stride
    return total // 2, total - total // 2


class SamePad(nn.Module):
    """Zeros around a map (N, C, H, W) as TensorFlow pads it for a strided convolution."""

    def __init__(self, kernel: tuple[int, int], stride: int):
        super().__init__()
        self.height, self.width = kernel
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        top, bottom = same_padding(x.shape[2], self.height, self.stride)
        left, right = same_padding(x.shape[3], self.width, self.stride)
        return nn.functional.pad(x, [left, right, top, bottom])


class SameMaxPool(nn.Module):
    """A strided max pool (N, C, H, W) with TensorFlow's "same" padding."""

    def __init__(self, kernel: tuple[int, int], stride: int):
        super().__init__()
        self.height, self.width = kernel
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        top, _ = same_padding(x.shape[2], self.height, self.stride)
        left, _ = same_padding(x.shape[3], self.width, self.stride)
        # ceil_mode lets the last window reach over the edge, as padding after the map would.
        kernel = [self.height, self.width]
        return nn.functional.max_pool2d(x, kernel, self.stride, [top, left], ceil_mode=True)
