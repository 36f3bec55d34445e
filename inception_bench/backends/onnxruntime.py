"""ONNX Runtime on the CPU: torch's dynamo exporter, then a session that needs no torch."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation, Network, Setup

FILE = "network.onnx"
FACTS = "facts.json"
INPUT, OUTPUT = "image", "logits"
_PROVIDERS = {"cpu": "CPUExecutionProvider"}
_PRECISION_OF = {"FLOAT": "fp32", "FLOAT16": "fp16", "BFLOAT16": "bf16", "DOUBLE": "fp64"}


class OnnxRuntimeSession:
    """One graph in one inference session; input and output stay in the engine's own memory."""

    def __init__(self, folder: Path, setup: Setup):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setup.threads
        options.inter_op_num_threads = 1
        # Threads that wait by spinning would slow the paired reference next door.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._engine = onnxruntime
        self._facts = json.loads((folder / FACTS).read_text())
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / FILE), options, providers=[_PROVIDERS[setup.device]]
        )

    def put(self, batch: np.ndarray) -> Any:
        return {INPUT: self._engine.OrtValue.ortvalue_from_numpy(batch)}

    def run(self, batch: Any) -> Any:
        return self._session.run_with_ort_values([OUTPUT], batch)

    def synchronize(self) -> None:
        """The CPU provider runs a call to its end; there is nothing to wait for."""

    def fetch(self, output: Any) -> np.ndarray:
        return output[0].numpy().astype(np.float32)

    def attest(self) -> Attestation:
        provider = self._session.get_providers()[0]
        devices = {name: device for device, name in _PROVIDERS.items()}
        return Attestation(
            engine="onnxruntime",
            engine_version=self._engine.__version__,
            device=devices.get(provider, provider),
            precision=self._facts["precision"],
            threads=self._session.get_session_options().intra_op_num_threads,
            batch_norms_left=self._facts["batch_norms"],
            note=f"opset {self._facts['opset']}",
        )

    def close(self) -> None:
        self._session = None


def read_facts(path: Path) -> dict[str, Any]:
    """What a graph says of itself: the type of its convolutions' weights, norms left, opset."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    types = {tensor.name: onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in model.graph.initializer}
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    precisions = {types.get(conv.input[1], "computed") for conv in convs}
    return {
        "precision": "+".join(sorted(_PRECISION_OF.get(name, name) for name in precisions)),
        "batch_norms": sum(node.op_type == "BatchNormalization" for node in model.graph.node),
        "opset": next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")),
    }


class OnnxRuntime:
    """The backend ``onnxruntime``."""

    name = "onnxruntime"
    modules = ("onnxruntime",)
    build_modules = ("torch", "onnx", "onnxscript")
    distributions = ("torch", "onnx", "onnxscript", "onnxruntime")
    install = "pip install onnx onnxscript onnxruntime"
    devices = ("cpu",)
    precisions = ("fp32",)

    def build(self, network: Network, folder: Path) -> None:
        import torch

        # The exporter notes that torchvision's operators are absent; no network here has any.
        logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)`", category=FutureWarning)
            torch.onnx.export(
                network.module,
                (network.example,),
                str(folder / FILE),
                dynamo=True,
                external_data=False,
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
        (folder / FACTS).write_text(json.dumps(read_facts(folder / FILE)))

    def load(self, folder: Path, setup: Setup) -> OnnxRuntimeSession:
        return OnnxRuntimeSession(folder, setup)


BACKEND = OnnxRuntime()
