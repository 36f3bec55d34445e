"""torch.compile with inductor. It compiles in the first call, which ``first_call_s`` therefore contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inception_bench.backends import inductor
from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.torch_session import (
    DTYPE_OF,
    PRECISIONS,
    TorchSession,
    convolution_precision,
    prepare,
    tf32_allowed,
)


class CompiledSession(TorchSession):
    """Runs the module through ``torch.compile``; keeps each graph that inductor gets, as the attestation reads them."""

    def __init__(self, folder: Path, setup: Setup):
        import torch
        import torch._inductor

        from inception_bench.models.weights.rows import load_for

        prepare(setup)
        self._captured: list[Any] = []
        self._compiled: list[Any] = []
        self._mode = setup.options.get("mode", MODES[0])
        module = load_for(folder, rows=setup.rows).to(setup.device, getattr(torch, DTYPE_OF[setup.precision]))
        settings = {} if self._mode == MODES[0] else torch._inductor.list_mode_options(self._mode)
        super().__init__(torch.compile(module, backend=self._inductor, options=settings), setup)

    def _inductor(self, graph: Any, inputs: Any, **given: Any) -> Any:
        from torch._inductor.compile_fx import compile_fx

        compiled = compile_fx(graph, inputs, config_patches=given.get("options"))
        self._captured.append(graph)
        self._compiled.append(compiled)
        return compiled

    def attest(self) -> Attestation:
        from torch._dynamo.utils import counters

        torch = self._torch
        norms = [node for graph in self._captured for node in graph.graph.nodes if node.target is _batch_norm(torch)]
        text = "\n".join(getattr(compiled, "inductor_post_grad_graph_str", "") for compiled in self._compiled)
        devices = {device for compiled in self._compiled for device in getattr(compiled, "device_types", ())}
        device = ",".join(sorted(devices))
        cached = counters["inductor"]["fxgraph_cache_hit"]
        return Attestation(
            engine="torch.compile (inductor)",
            engine_version=torch.__version__,
            device=device,
            precision=convolution_precision(inductor.graph_convolution_types(text), device),
            threads=torch.get_num_threads(),
            batch_norms_left=len(norms),
            tf32=tf32_allowed(device),
            graph_breaks=sum(counters["graph_break"].values()),
            note=f"mode {self._mode}; {len(self._captured)} graph, {cached} from inductor's cache",
        )

    def close(self) -> None:
        super().close()
        self._captured, self._compiled = [], []


def _batch_norm(torch: Any) -> Any:
    return torch.nn.functional.batch_norm


MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


class Compile:
    """The backend ``compile``."""

    name = "compile"
    modules = ("torch", "safetensors")
    distributions = ("torch",)
    install = "pip install torch safetensors"
    precisions = PRECISIONS
    options = {"mode": MODES}  # noqa: RUF012 - a table, never changed

    def refuses(self, device: str, precision: str) -> str | None:
        return inductor.refuses(device, precision)

    def load(self, folder: Path, setup: Setup) -> CompiledSession:
        return CompiledSession(folder, setup)


BACKEND = Compile()
