"""In which precision the convolutions of a TensorRT engine compute, read from what its engine inspector says.

The inspector's output is meant for people, so its words have to be interpreted. Sources: the layers of ResNet-18 in the
examples of NVIDIA's trt-engine-explorer, and the inspector's section in the developer guide. A precision that the
inspector does not tell is UNKNOWN here, and never guessed.
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

# Matches the layer types CaskConvolution, CaskConvActPool and CaskGemmConvolution, but no conversion of formats.
_CONVOLUTION = re.compile(r"conv(?!er)", re.IGNORECASE)
# Types of layers that one of the engine's compilers fused from several: only their names tell what they contain.
_COMPILED = ("gemm", "kgen", "fusion")
# A layer that stands for many of the network's layers: the types of its inputs say nothing about those inside.
_FOREIGN = ("ForeignNode", "Myelin")
_TYPE_FIELDS = ("Datatype", "DataType", "Format/Datatype", "Format")
# In ``sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc`` stand the types of image and filter, then of the sums,
# then of the output.
_OPERANDS = re.compile(r"(?<![a-z0-9])(f16|f32|i8|e4m3)(?:f16|f32|i8|e4m3)")
_OPERAND_NAMES = {"f16": "fp16", "f32": "fp32", "i8": "int8", "e4m3": "fp8"}
# ``ampere_h16816cudnn_128x128`` multiplies fp16 on tensor cores, ``ampere_scudnn_128x64`` binary32 without them, and
# ``volta_fp16_s884cudnn`` names its type. ``s1688cudnn`` tells the type of its sums, not of what it multiplies.
_WORDS = (
    ("tf32", re.compile("tf32")),
    ("bf16", re.compile("bf16")),
    ("int8", re.compile(r"int8|imma|i8816")),
    ("fp16", re.compile(r"fp16|hmma|(?<![a-z])h\d*(?:cudnn|gemm)|(?<![a-z])h\d{3,}")),
    ("fp32", re.compile(r"fp32|ffma|(?<![a-z])s(?:cudnn|gemm)")),
)


def inspector_convolutions(layers: Sequence[Mapping[str, Any]], *, tf32: bool = False) -> Counter[str]:
    """How many convolutions of an engine compute in each precision; ``layers`` are the inspector's (JSON, detailed).

    A convolution of binary32 tensors counts as tf32 where the name of its tactic (its kernel) says so. Where the name
    does not tell, it counts as fp32, or as UNKNOWN if ``tf32`` was permitted, as it may then be either.
    """
    return Counter(_precision(layer, tf32) for layer in layers if _is_convolution(layer))


def _is_convolution(layer: Mapping[str, Any]) -> bool:
    layer_type, name = f"{layer.get('ParameterType', '')} {layer.get('LayerType', '')}", str(layer.get("Name", ""))
    if _CONVOLUTION.search(layer_type) or _is_foreign(layer):
        return True
    if not any(word in layer_type.lower() for word in _COMPILED):
        return False  # a reformatting or pooling layer is named after the convolution beside it
    description = name if "kgen" in layer_type.lower() else f"{name} {layer.get('Metadata', '')}"
    return _CONVOLUTION.search(f"{description} {_tactic(layer)}") is not None or "fprop" in _tactic(layer)


def _is_foreign(layer: Mapping[str, Any]) -> bool:
    return any(word in f"{layer.get('LayerType', '')} {layer.get('Name', '')}" for word in _FOREIGN)


def _precision(layer: Mapping[str, Any], tf32: bool) -> str:
    by_tactic = tactic_precision(_tactic(layer))
    by_tensors = None if _is_foreign(layer) else _tensor_precision(layer)
    if by_tensors != "fp32":
        return by_tensors or by_tactic or UNKNOWN
    if by_tactic == "tf32":
        return "tf32"
    return UNKNOWN if tf32 and by_tactic is None else "fp32"


def _tensor_precision(layer: Mapping[str, Any]) -> str | None:
    """The precision of the image that a convolution reads; where that is not told, the precision of its filters."""
    inputs, weights = layer.get("Inputs") or [{}], layer.get("Weights") or {}
    image = inputs[0] if isinstance(inputs[0], Mapping) else {}
    texts = [image.get(field) for field in _TYPE_FIELDS]
    texts += [weights.get("Type")] if isinstance(weights, Mapping) else []
    return next(filter(None, (_type_in(str(text)) for text in texts if text)), None)


def _type_in(text: str) -> str | None:
    """The precision that a text names: fp16 in "Channel major FP16 format where channel % 8 == 0".

    None for a text that names none, such as "N/A due to dynamic shapes".
    """
    words = re.findall(r"[a-z]+[0-9]*", text.lower())
    return next((TYPE_NAMES[word] for word in words if word in TYPE_NAMES), None)


def tactic_precision(name: str) -> str | None:
    """The precision of the numbers that a kernel multiplies, read from its name; None where the name does not tell."""
    name = name.lower()
    for precision, pattern in _WORDS[:2]:  # tf32 and bf16 may stand inside longer words
        if pattern.search(name):
            return precision
    operands = _OPERANDS.search(name)
    if operands:
        return _OPERAND_NAMES[operands[1]]
    return next((precision for precision, pattern in _WORDS if pattern.search(name)), None)


def _tactic(layer: Mapping[str, Any]) -> str:
    return str(layer.get("TacticName") or "")


def read_layers(trt: Any, engine: Any, context: Any = None) -> list[Mapping[str, Any]]:
    """The layers of a loaded engine, as its inspector tells them.

    The list is empty where the inspector gives only the layers' names, or a text that cannot be read. For an engine
    that takes batches of any size, the inspector tells the tensors' formats only with a ``context`` whose shapes are
    set.
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


def told(convolutions: Mapping[str, int]) -> str:
    """In words, how many convolutions compute in each precision, and of how many it could not be read."""
    if not sum(convolutions.values()):
        return "precision could not be read: the engine names no convolution"
    counted = ", ".join(f"{name} x{count}" for name, count in Counter(convolutions).most_common())
    unread = sum(count for name, count in convolutions.items() if UNKNOWN in name.split("+"))
    return f"convolutions {counted}" + (
        f"; the precision of {unread} of {sum(convolutions.values())} could not be read" if unread else ""
    )
