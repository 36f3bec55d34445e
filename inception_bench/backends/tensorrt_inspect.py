"""What TensorRT's engine inspector says that convolutions compute in.

It writes for people. Sources: the layers of ResNet-18 in the examples of NVIDIA's trt-engine-explorer, and the
inspector's section in the developer guide. What it does not say is UNKNOWN here, never guessed.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from inception_bench.backends.base import UNKNOWN
from inception_bench.backends.tensorrt_plan import TYPE_NAMES

# CaskConvolution, CaskConvActPool, CaskGemmConvolution; not a conversion of formats.
_CONVOLUTION = re.compile(r"conv(?!er)", re.IGNORECASE)
# Kinds of layers that one of the engine's compilers made of several: what they are shows in their names alone.
_COMPILED = ("gemm", "kgen", "fusion")
# One layer for a whole part of the network: types at its borders say nothing about what is inside.
_FOREIGN = ("ForeignNode", "Myelin")
_TYPE_FIELDS = ("Datatype", "DataType", "Format/Datatype", "Format")
# ``sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc``: image and filter, then sums, then output.
_OPERANDS = re.compile(r"(?<![a-z0-9])(f16|f32|i8|e4m3)(?:f16|f32|i8|e4m3)")
_OPERAND_NAMES = {"f16": "fp16", "f32": "fp32", "i8": "int8", "e4m3": "fp8"}
# ``ampere_h16816cudnn_128x128``, ``ampere_scudnn_128x64``, ``volta_fp16_s884cudnn``: halves on tensor cores, binary32
# without them, and the type as a word. ``s1688cudnn`` alone tells how it sums, not what it multiplies.
_WORDS = (
    ("tf32", re.compile("tf32")),
    ("bf16", re.compile("bf16")),
    ("int8", re.compile(r"int8|imma|i8816")),
    ("fp16", re.compile(r"fp16|hmma|(?<![a-z])h\d*(?:cudnn|gemm)|(?<![a-z])h\d{3,}")),
    ("fp32", re.compile(r"fp32|ffma|(?<![a-z])s(?:cudnn|gemm)")),
)


def inspector_convolutions(layers: Sequence[Mapping[str, Any]], *, tf32: bool = False) -> Counter[str]:
    """What the convolutions of an engine compute in, by the engine inspector's layers (JSON, detailed).

    A convolution of binary32 tensors counts as tf32 where its tactic's name says so. With ``tf32`` permitted, one
    whose tactic does not tell may be either, and is UNKNOWN.
    """
    return Counter(_precision(layer, tf32) for layer in layers if _is_convolution(layer))


def _is_convolution(layer: Mapping[str, Any]) -> bool:
    kind, name = f"{layer.get('ParameterType', '')} {layer.get('LayerType', '')}", str(layer.get("Name", ""))
    if _CONVOLUTION.search(kind) or _is_foreign(layer):
        return True
    if not any(word in kind.lower() for word in _COMPILED):
        return False  # a reformatting or pooling layer is named after the convolution beside it
    told = name if "kgen" in kind.lower() else f"{name} {layer.get('Metadata', '')}"
    return _CONVOLUTION.search(f"{told} {_tactic(layer)}") is not None or "fprop" in _tactic(layer)


def _is_foreign(layer: Mapping[str, Any]) -> bool:
    return any(word in f"{layer.get('LayerType', '')} {layer.get('Name', '')}" for word in _FOREIGN)


def _precision(layer: Mapping[str, Any], tf32: bool) -> str:
    by_tactic = tactic_precision(_tactic(layer))
    named = None if _is_foreign(layer) else _tensor_precision(layer)
    if named != "fp32":
        return named or by_tactic or UNKNOWN
    if by_tactic == "tf32":
        return "tf32"
    return UNKNOWN if tf32 and by_tactic is None else "fp32"


def _tensor_precision(layer: Mapping[str, Any]) -> str | None:
    """The type of the image that a convolution reads, else that of its filters."""
    inputs, weights = layer.get("Inputs") or [{}], layer.get("Weights") or {}
    image = inputs[0] if isinstance(inputs[0], Mapping) else {}
    texts = [image.get(field) for field in _TYPE_FIELDS]
    texts += [weights.get("Type")] if isinstance(weights, Mapping) else []
    return next(filter(None, (_type_in(str(text)) for text in texts if text)), None)


def _type_in(text: str) -> str | None:
    """The type in "Channel major FP16 format where channel % 8 == 0"; None in "N/A due to dynamic shapes"."""
    words = re.findall(r"[a-z]+[0-9]*", text.lower())
    return next((TYPE_NAMES[word] for word in words if word in TYPE_NAMES), None)


def tactic_precision(name: str) -> str | None:
    """What a kernel multiplies, by its name; None where the name does not tell."""
    name = name.lower()
    for precision, pattern in _WORDS[:2]:  # they are written inside of other words too
        if pattern.search(name):
            return precision
    operands = _OPERANDS.search(name)
    if operands:
        return _OPERAND_NAMES[operands[1]]
    return next((precision for precision, pattern in _WORDS if pattern.search(name)), None)


def _tactic(layer: Mapping[str, Any]) -> str:
    return str(layer.get("TacticName") or "")


def read_layers(trt: Any, engine: Any, context: Any = None) -> list[Mapping[str, Any]]:
    """The inspector's layers of a loaded engine; none where it gives only names, or no text that can be read.

    With the ``context`` that has the shapes, it also tells the formats of an engine with an open batch.
    """
    inspector = engine.create_engine_inspector()
    if context is not None:
        inspector.execution_context = context
    text = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
    try:
        layers = json.loads(text)["Layers"]
    except (ValueError, KeyError, TypeError) as error:
        print(f"the engine inspector's text cannot be read: {error}", file=sys.stderr)
        return []
    return [layer for layer in layers if isinstance(layer, dict)]


def told(found: Mapping[str, int]) -> str:
    """The convolutions by what they compute in, in words that also say what could not be read."""
    if not sum(found.values()):
        return "precision could not be read: the engine names no convolution"
    counted = ", ".join(f"{name} x{count}" for name, count in Counter(found).most_common())
    unread = sum(count for name, count in found.items() if UNKNOWN in name.split("+"))
    return f"convolutions {counted}" + (
        f"; the precision of {unread} of {sum(found.values())} could not be read" if unread else ""
    )
