"""OpenVINO on the CPU: it compiles the ONNX graph to a blob for this processor, and later loads the blob."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends import onnx_graph
from inception_bench.backends.base import Attestation, Setup

BLOB = "network.blob"
_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
_CAPABILITIES = {"fp32": "FP32", "bf16": "BF16", "fp16": "FP16"}
_PRECISION_OF = {"f32": "fp32", "bf16": "bf16", "f16": "fp16"}


class OpenVinoSession:
    """Runs a compiled blob by one infer request; the input lies in a tensor of the engine."""

    def __init__(self, folder: Path, setup: Setup):
        import openvino

        self._engine = openvino
        self._setup = setup
        with (folder / BLOB).open("rb") as stream:
            self._compiled: Any = openvino.Core().import_model(io.BytesIO(stream.read()), "CPU", _properties(setup))
        self._request: Any = self._compiled.create_infer_request()

    def put(self, batch: np.ndarray) -> Any:
        return self._engine.Tensor(np.array(batch))

    def run(self, batch: Any) -> Any:
        self._request.set_input_tensor(batch)
        self._request.infer()
        return self._request

    def synchronize(self) -> None:
        """Nothing is to be waited for: ``infer`` returns when the logits are there."""

    def fetch(self, output: Any) -> np.ndarray:
        return np.array(output.get_output_tensor().data, np.float32)

    def attest(self) -> Attestation:
        nodes = [node.get_rt_info() for node in self._compiled.get_runtime_model().get_ops()]
        layer_types = Counter(info["layerType"].astype(str) for info in nodes)
        convs = [info for info in nodes if info["layerType"].astype(str) == "Convolution"]
        precisions = {info["runtimePrecision"].astype(str) for info in convs}
        kernels = Counter(info["primitiveType"].astype(str) for info in convs)
        return Attestation(
            engine="openvino",
            engine_version=self._engine.__version__.partition("-")[0],
            device=",".join(
                name.partition(".")[0].lower() for name in self._compiled.get_property("EXECUTION_DEVICES")
            ),
            precision="+".join(sorted(_PRECISION_OF.get(name, name) for name in precisions)),
            threads=self._compiled.get_property("INFERENCE_NUM_THREADS"),
            batch_norms_left=layer_types["BatchNormInference"],
            note="kernels " + ", ".join(f"{name} x{count}" for name, count in kernels.most_common()),
        )

    def close(self) -> None:
        self._request = self._compiled = None


def _properties(setup: Setup) -> dict[str, Any]:
    """The properties to compile and load with.

    Without the precision hint OpenVINO may compute in bf16 where binary32 was asked. There is one stream, as one call
    at a time is timed.
    """
    return {
        "INFERENCE_PRECISION_HINT": _HINTS[setup.precision],
        "INFERENCE_NUM_THREADS": setup.threads,
        "NUM_STREAMS": 1,
    }


class OpenVino(onnx_graph.OnnxExport):
    """The backend ``openvino``."""

    name = "openvino"
    modules = ("openvino",)
    distributions = ("openvino",)
    install = "pip install openvino"
    precisions = {"cpu": ("fp32", "bf16", "fp16")}  # noqa: RUF012 - a table

    def refuses(self, device: str, precision: str) -> str | None:
        import openvino

        # Asked for a precision that the processor lacks, OpenVINO silently takes another.
        capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if _CAPABILITIES[precision] in capabilities:
            return None
        return f"openvino has no {precision} on this processor (it has {', '.join(sorted(capabilities))})"

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None:
        import openvino

        core = openvino.Core()
        compiled = core.compile_model(core.read_model(graph / onnx_graph.FILE), "CPU", _properties(setup))
        blob = compiled.export_model()
        (folder / BLOB).write_bytes(blob if isinstance(blob, bytes) else blob.getvalue())

    def load(self, folder: Path, setup: Setup) -> OpenVinoSession:
        return OpenVinoSession(folder, setup)


BACKEND = OpenVino()
