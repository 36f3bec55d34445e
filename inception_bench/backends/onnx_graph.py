"""The network as an ONNX graph: what ONNX Runtime, OpenVINO and both TensorRTs start from.

Before the module is exported, its batch norms are folded into convolutions and it is cast, so that the graph has
the precision. Images and logits are float32 all the same, as NumPy has no bfloat16: the graph's first and last node
cast them. At import this file needs the standard library alone, as workers without torch import it for the names.
"""

from __future__ import annotations

import json
import logging
import warnings
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_bench.backends.base import Network

if TYPE_CHECKING:
    from torch import nn

FILE = "network.onnx"
FACTS = "facts.json"
INPUT, OUTPUT = "image", "logits"
BUILD_MODULES = ("torch", "onnx", "onnxscript")
# ONNX has bfloat16 convolutions since operator set 22; for other precisions torch's own choice of a set will do.
_OPSET_OF = {"bf16": 22}
_OLDEST = 17
_PRECISION_OF = {"FLOAT": "fp32", "FLOAT16": "fp16", "BFLOAT16": "bf16", "DOUBLE": "fp64"}


class OnnxExport:
    """The ``build`` of backends that start from an ONNX graph; all backends that inherit it share the graph."""

    graph = "onnx"
    graph_options = ("batch", "opset")
    build_modules = BUILD_MODULES
    build_distributions = ("torch", "onnx", "onnxscript")

    def build(self, network: Network, folder: Path) -> None:
        opset = _OLDEST if network.options.get("opset") == str(_OLDEST) else None
        export_graph(network, folder, opset=opset, dynamic=_is_dynamic(network))


def export_graph(network: Network, folder: Path, *, opset: int | None = None, dynamic: bool = False) -> None:
    """Write the graph and its facts, in operator set ``opset``, or in the set that torch chooses where it is None.

    Operator set 17 is for TensorRT 8.6. Only torch's older exporter writes that set, and the graph is then in float32,
    as TensorRT 8.6 chooses types by itself. A graph in bfloat16 is always written in operator set 22. With ``dynamic``
    the graph takes batches of any size.
    """
    import torch

    precision = "fp32" if opset == _OLDEST else network.precision
    module, example = _in_precision(fold_batch_norms(network.module), precision), network.example
    names: dict[str, Any] = {"input_names": [INPUT], "output_names": [OUTPUT], "verbose": False}
    # The exporter notes that torchvision's operators are absent; no network here has any.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)`", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        if opset == _OLDEST:
            axes = {INPUT: {0: "batch"}} if dynamic else None
            torch.onnx.export(
                module, (example,), str(folder / FILE), dynamo=False, opset_version=_OLDEST, dynamic_axes=axes, **names
            )
        else:
            shapes = ({0: torch.export.Dim("batch", min=1)},) if dynamic else None
            torch.onnx.export(
                module,
                (example,),
                str(folder / FILE),
                dynamo=True,
                external_data=False,
                opset_version=_OPSET_OF.get(precision, opset),
                dynamic_shapes=shapes,
                **names,
            )
            _drop_traces(folder / FILE)
    (folder / FACTS).write_text(json.dumps(read_facts(folder / FILE)))


def _drop_traces(path: Path) -> None:
    """Remove from each node the place in the source that it came from, so that only the network decides the bytes.

    The exporter writes file names and line numbers into every node: a new comment in the source, or another folder,
    would otherwise change the file.
    """
    import onnx

    model = onnx.load(str(path))
    for node in model.graph.node:
        del node.metadata_props[:]
    onnx.save(model, str(path))


def _in_precision(module: nn.Module, precision: str) -> nn.Module:
    """The module, cast to ``precision``; it still takes float32 images and gives float32 logits."""
    import torch

    from inception_bench.backends.torch_session import DTYPE_OF

    dtype = getattr(torch, DTYPE_OF[precision])
    if dtype == torch.float32:
        return module

    class Cast(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module.to(dtype)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.inner(x.to(dtype))
            return logits.float()

    return Cast().eval()


def fold_batch_norms(module: nn.Module) -> nn.Module:
    """Fold each batch norm that follows a convolution into that convolution; changes the module in place.

    To be done in float32, before the module is cast to a shorter precision.
    """
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for parent in module.modules():
        steps = list(parent.named_children())
        for (name, conv), (after, norm) in pairwise(steps):
            if isinstance(parent, nn.Sequential) and isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, after, nn.Identity())
    return module


def read_facts(path: Path) -> dict[str, Any]:
    """Facts of a graph: the precision of its convolutions' filters, counts of some operators, its operator set."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    types = {tensor.name: onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in model.graph.initializer}
    convs = [node for node in model.graph.node if node.op_type in ("Conv", "FusedConv", "NhwcConv")]
    precisions = {types.get(conv.input[1], "computed") for conv in convs}
    return {
        "precision": "+".join(sorted(_PRECISION_OF.get(name, name) for name in precisions)),
        "convolutions": len(convs),
        "casts": sum(node.op_type == "Cast" for node in model.graph.node),
        "batch_norms": sum(node.op_type == "BatchNormalization" for node in model.graph.node),
        "opset": next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")),
    }


def _is_dynamic(network: Network) -> bool:
    return network.options.get("batch") == "dynamic"
