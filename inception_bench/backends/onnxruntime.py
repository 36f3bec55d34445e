"""ONNX Runtime on the CPU or on CUDA. The graph is exported by torch; to run it on a CPU needs no torch."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.backends.base import Attestation, Network, Setup
from inception_bench.backends.onnx_graph import BUILD_MODULES, FACTS, FILE, INPUT, OUTPUT, export_graph, read_facts
from inception_bench.machine.cuda import driver_problem
from inception_bench.processes.service import Unavailable

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
# The engine's CUDA provider has the operator Pad, which GoogLeNet's normalisation needs, up to operator set 18; Pad of
# later sets came with version 1.25 or is still missing (microsoft/onnxruntime, issue 26393). Set 18 has all that these
# networks need, except bfloat16.
OPSETS = {"cuda": 18}
# The graph as the engine rewrote it: facts are read from this file, but it is never loaded.
OPTIMISED = "optimised.onnx"
# Part of the error (of type Fail) of an engine that was told not to fall back to the CPU (inference_session.cc).
_OFF_DEVICE = "assigned to the default CPU EP"


class OnnxRuntimeSession:
    """One graph in one InferenceSession of the engine.

    Input and output lie in the engine's own memory on a CPU, and on the device on a GPU.
    """

    def __init__(self, folder: Path, setup: Setup):
        self._engine = _engine(setup.device)
        self._setup = setup
        self._facts = json.loads((folder / FACTS).read_text())
        self._stream: Any = None
        self.device_clock = None
        if setup.device == "cuda":
            import torch

            from inception_bench.backends.torch_session import TorchClock

            self._stream = torch.cuda.Stream()
            self.device_clock = TorchClock(torch, self._stream)
        self._inference: Any = _open(self._engine, folder / FILE, setup, self._stream)

    def put(self, batch: np.ndarray) -> Any:
        value = self._engine.OrtValue.ortvalue_from_numpy(batch, self._setup.device, 0)
        binding = self._inference.io_binding()
        binding.bind_ortvalue_input(INPUT, value)
        binding.bind_output(OUTPUT, self._setup.device)
        return binding

    def run(self, batch: Any) -> Any:
        self._inference.run_with_iobinding(batch)
        return batch

    def synchronize(self) -> None:
        """Wait for the stream on a GPU; on a CPU ``run`` returns when the call is done."""
        if self._stream is not None:
            self._stream.synchronize()

    def fetch(self, output: Any) -> np.ndarray:
        logits: np.ndarray = output.copy_outputs_to_cpu()[0]
        return logits.astype(np.float32)

    def attest(self) -> Attestation:
        provider = self._inference.get_providers()[0]
        devices = {name: device for device, name in PROVIDERS.items()}
        tf32 = None
        if self._stream is not None:
            tf32 = self._inference.get_provider_options()[provider].get("use_tf32") == "1"
        precision = self._facts["precision"]
        return Attestation(
            engine="onnxruntime",
            engine_version=self._engine.__version__,
            device=devices.get(provider, provider),
            precision="tf32" if tf32 and precision == "fp32" else precision,
            threads=self._inference.get_session_options().intra_op_num_threads,
            batch_norms_left=self._facts["batch_norms"],
            tf32=tf32,
            nodes_elsewhere=0 if tf32 is not None else None,  # a node off the GPU would have made _open fail
            note=f"opset {self._facts['opset']}, {self._facts['casts']} casts in the optimised graph",
        )

    def close(self) -> None:
        self._inference = None


def _engine(device: str) -> Any:
    if device == "cuda":
        import torch  # noqa: F401 - imported first: it loads the CUDA libraries that the provider needs

    import onnxruntime

    return onnxruntime


def _open(engine: Any, path: Path, setup: Setup, stream: Any = None, optimised: Path | None = None) -> Any:
    """An InferenceSession on the setup's device alone. Raises Unavailable where the engine lacks an operator there.

    With ``optimised`` the engine also writes the graph as it rewrote it to that path.
    """
    options = engine.SessionOptions()
    options.intra_op_num_threads = setup.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait by spinning would slow the paired reference, which runs on the same cores between rounds.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    provider: Any = PROVIDERS[setup.device]
    if setup.device == "cuda":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        tf32 = "1" if setup.precision == "tf32" else "0"
        given = {"use_tf32": tf32, "cudnn_conv_algo_search": "EXHAUSTIVE"}
        own = {} if stream is None else {"user_compute_stream": str(stream.cuda_stream)}
        provider = (provider, {**given, **own})
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
    try:
        return engine.InferenceSession(str(path), options, providers=[provider])
    except Exception as error:
        if _OFF_DEVICE in str(error):
            missing = nodes_off_device(engine, path, provider)
            raise Unavailable(f"onnxruntime on {setup.device} in {setup.precision}: {missing}") from None
        # The engine raises these two types where it has no such operator in this precision.
        if type(error).__name__ in ("NotImplemented", "InvalidGraph"):
            raise Unavailable(f"onnxruntime on {setup.device} in {setup.precision}: {error}") from None
        raise


def nodes_off_device(engine: Any, path: Path, provider: Any) -> str:
    """Why the engine refuses the graph: the operators that it would run on the CPU, with their counts.

    The engine's own refusal names no operator, so a second InferenceSession that may fall back to the CPU is asked.
    Engines before 1.24 do not tell.
    """
    options = engine.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    try:
        inference = engine.InferenceSession(str(path), options, providers=[provider, PROVIDERS["cpu"]])
        subgraphs = inference.get_provider_graph_assignment_info()
    except Exception as error:  # the refusal itself is known already; this was only to learn its cause
        print(f"onnxruntime does not say which operators: {error}", file=sys.stderr)
        return "the provider lacks an operator of this graph, and does not say which"
    operators = Counter(
        node.op_type for subgraph in subgraphs if subgraph.ep_name == PROVIDERS["cpu"] for node in subgraph.get_nodes()
    )
    if subgraphs and all(subgraph.ep_name == PROVIDERS["cpu"] for subgraph in subgraphs):
        return "the provider did not start: every operator would run on the CPU"
    named = ", ".join(f"{name} x{count}" for name, count in operators.most_common())
    return f"the provider has no {named} for this graph"


class OnnxRuntime:
    """The backend ``onnxruntime``."""

    name = "onnxruntime"
    modules = ("onnxruntime",)
    build_modules = BUILD_MODULES
    distributions = ("torch", "onnx", "onnxscript", "onnxruntime", "onnxruntime-gpu")
    install = "pip install onnx onnxscript onnxruntime (for CUDA: onnxruntime-gpu in its place)"
    # On a CPU the engine takes a graph in fp16, but casts to binary32 and computes the convolutions in that.
    precisions = {"cpu": ("fp32",), "cuda": ("fp32", "tf32", "bf16", "fp16")}  # noqa: RUF012 - a table

    built_with = ("inception_bench.backends.onnx_graph",)

    def refuses(self, device: str, precision: str) -> str | None:
        if device != "cuda":
            return None
        problem = driver_problem()
        if problem is None and PROVIDERS["cuda"] not in _engine(device).get_available_providers():
            problem = "this onnxruntime is built for CPUs alone; pip install onnxruntime-gpu in its place"
        return problem

    def build(self, network: Network, folder: Path) -> None:
        export_graph(network, folder, opset=OPSETS.get(network.device))
        facts = json.loads((folder / FACTS).read_text())
        batch, _, size, _ = network.example.shape
        with tempfile.TemporaryDirectory() as place:
            # The engine rewrites the graph before it runs it, so the precision is read from the rewritten graph.
            path = Path(place) / OPTIMISED
            setup = Setup(network.device, network.precision, 1, batch, size)
            _open(_engine(network.device), folder / FILE, setup, optimised=path)
            facts.update(read_facts(path))
        (folder / FACTS).write_text(json.dumps(facts))

    def load(self, folder: Path, setup: Setup) -> OnnxRuntimeSession:
        return OnnxRuntimeSession(folder, setup)


BACKEND = OnnxRuntime()
