"""Params and MACs counted on the built module, by two public tools, beside the table's arithmetic."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from inception_bench.models.counted import Counted
from inception_bench.models.network import Network

WEIGHTED = ("conv", "linear")


def count(model: Network, image: Tensor) -> Counted:
    """Count ``model`` on one image (1, 3, H, W).

    fvcore counts a multiply-accumulate as one; its ``conv`` and ``linear`` operators are the MACs,
    and batch norm, pooling and the rest are listed apart, with one number for each end point.
    torch's FlopCounterMode counts two operations for each multiply-accumulate.
    """
    model = model.eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as mode:
        model(image)
    macs, other = (None, {}) if find_spec("fvcore") is None else _by_fvcore(model, image)
    return Counted(
        params=sum(parameter.numel() for parameter in model.parameters()),
        macs_fvcore=macs,
        macs_flop_counter=_halved(mode.get_total_flops()),
        other_by_row=other,
    )


def _by_fvcore(model: Network, image: Tensor) -> tuple[int, dict[str, int]]:
    """fvcore's MACs, and its count of all other operators at each end point."""
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, image).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    operators = analysis.by_operator()
    other = {
        "Logits" if name == "classifier" else name.removeprefix("rows."): sum(
            int(number) for operator, number in operators_of.items() if operator not in WEIGHTED
        )
        for name, operators_of in analysis.by_module_and_operator().items()
        if name == "classifier" or (name.startswith("rows.") and name.count(".") == 1)
    }
    return sum(int(operators[name]) for name in WEIGHTED), other


def _halved(flops: int) -> int:
    if flops % 2:
        raise ArithmeticError(f"FlopCounterMode gave {flops}, an odd number; it counts two a multiply-accumulate")
    return flops // 2
