"""Operator sets that ONNX Runtime's providers run, and operators named where one does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from inception_bench.backends.base import Network, Setup
from inception_bench.backends.onnx_graph import FILE, INPUT, export_graph
from inception_bench.backends.onnxruntime import OnnxRuntime, _open, nodes_off_device
from inception_bench.models.public import create_model
from inception_bench.processes.service import Unavailable

CUDA = "CUDAExecutionProvider"


def network(precision: str, device: str = "cpu") -> Network:
    """GoogLeNet, narrow: of the nine networks the one whose graph has a Pad (in its local response normalisation)."""
    torch.manual_seed(0)
    model = create_model("googlenet", width_mult=0.125, num_classes=10).eval()
    return Network(model, torch.rand(1, 3, 32, 32), precision, device)


def operator_sets(path: Path) -> dict[str, int]:
    """For each operator of a graph, the set in which it last changed."""
    model = onnx.load(str(path))
    (opset,) = [entry.version for entry in model.opset_import if not entry.domain]
    return {node.op_type: onnx.defs.get_schema(node.op_type, opset).since_version for node in model.graph.node}


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "pad", "conv"), [("fp32", 18, 11), ("fp16", 18, 11), ("bf16", 21, 22)])
def test_what_is_exported_for_cuda(tmp_path: Path, precision: str, pad: int, conv: int):
    """Pad changed in 18, 19 and 21; Conv in 11, and in 22, which first has bfloat16 (onnx/docs/Changelog.md)."""
    if CUDA in onnxruntime.get_available_providers():
        return  # the build below would succeed
    with pytest.raises(Unavailable):  # no CUDA in this build: the graph is written, then the provider refuses it
        OnnxRuntime().build(network(precision, "cuda"), tmp_path)
    found = operator_sets(tmp_path / FILE)
    assert (found["Pad"], found["Conv"]) == (pad, conv)
    assert precision == "bf16" or max(found.values()) <= 18


def test_the_graph_of_set_18_is_right(tmp_path: Path):
    given = network("fp32")
    with torch.inference_mode():
        expected = given.module(given.example).numpy()
    export_graph(given, tmp_path, opset=18)
    session = onnxruntime.InferenceSession(str(tmp_path / FILE), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {INPUT: given.example.numpy()})
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_provider_that_lacks_a_precision_names_the_operator(tmp_path: Path):
    export_graph(network("bf16"), tmp_path)
    with pytest.raises(Unavailable, match=r"onnxruntime on cpu in bf16: .*an implementation for Conv\(22\)"):
        _open(onnxruntime, tmp_path / FILE, Setup("cpu", "bf16", 1, 1, 32))


class Partly:
    """ONNX Runtime with a provider that runs all but some operators: the real session's parts, relabelled.

    It refuses where it may not fall back, in the engine's words.
    """

    SessionOptions = onnxruntime.SessionOptions

    def __init__(self, without: tuple[str, ...]):
        self._without = without

    def InferenceSession(self, path: str, options: object, providers: list):
        if len(providers) == 1:
            raise RuntimeError("nodes that are assigned to the default CPU EP, but fallback has been disabled")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        parts = [self._relabelled(part) for part in session.get_provider_graph_assignment_info()]
        return SimpleNamespace(get_provider_graph_assignment_info=lambda: parts)

    def _relabelled(self, part) -> SimpleNamespace:
        (node,) = part.get_nodes()  # the CPU provider takes each node by itself
        name = part.ep_name if node.op_type in self._without else CUDA
        return SimpleNamespace(ep_name=name, get_nodes=lambda: [node])


def test_operators_that_would_fall_back_are_named(tmp_path: Path):
    export_graph(network("fp32"), tmp_path, opset=18)
    setup = Setup("cuda", "fp32", 1, 1, 32)
    with pytest.raises(Unavailable, match=r"the provider has no AveragePool x2, ReduceMean x1 for this graph$"):
        _open(Partly(("AveragePool", "ReduceMean")), tmp_path / FILE, setup)


def test_an_engine_that_does_not_tell_where_nodes_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    old = SimpleNamespace(SessionOptions=onnxruntime.SessionOptions, InferenceSession=lambda *a, **b: object())
    assert "does not say which" in nodes_off_device(old, tmp_path / FILE, CUDA)
    assert "get_provider_graph_assignment_info" in capsys.readouterr().err
