"""How the coordinator gets what a case needs: from the cache, or built now by the builder process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_bench.backends.base import Setup
from inception_bench.backends.registry import find_backend
from inception_bench.backends.timings import FOLDER as TIMINGS
from inception_bench.machine.cuda import driver_problem
from inception_bench.machine.environment import usable_cores
from inception_bench.measure.builder_process import BuilderProcess
from inception_bench.measure.builds import Builds
from inception_bench.measure.engine import WORKER, CallLimit, Engine, TimeLimit
from inception_bench.measure.identity import hardware, network, network_fields, reference_parts, reference_versions
from inception_bench.measure.parity import MEASURED_AS
from inception_bench.measure.references import FACTS, IMAGES, Reference, RowReference
from inception_bench.measure.refusals import Refusals
from inception_bench.measure.training import Training
from inception_bench.models.counted import Counted
from inception_bench.processes.installation import HERE, Installation
from inception_bench.processes.process import Process
from inception_bench.spec.case import Case
from inception_bench.spec.network import SIGNAL_KEEPING, NetworkSpec
from inception_bench.spec.profile import Limits
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import Artifact, ArtifactCache
from inception_bench.store.equal import file_hash

ANSWERS = "answers.npy"
WEIGHTS_FILE = "weights.safetensors"

# glibc gives freed memory back to the kernel or keeps it, by a threshold that moves with a process's history: two
# identical workers were seen to differ by 9 to 12 % (5,370 page faults a call, or none). So all are made to keep it.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}


@dataclass
class Workshop:
    """Gives what cases need, from the cache or built now. One builder process serves all; if it ends, a new one starts.

    Of several that build at the same time (``beside``) each has a builder process with ``threads``, and what one of
    them built, refused or failed to build the others know by ``builds`` and ``refusals``.

    ``limit_s`` and ``train_limit_s`` are the seconds that one call to the builder and one training may take.
    ``pythons`` names, by backend, another interpreter for its workers. All processes run ``installation``; what an
    installation other than the running one builds has keys of its own in the cache.

    Methods that build or train raise CallFailed, with the outcome ``unavailable`` where an engine cannot do on this
    machine what is asked, ``timeout`` past the limit, and ``failed`` otherwise. Files of images are in float32.
    """

    cache: ArtifactCache
    limit_s: float
    pythons: Mapping[str, str] = field(default_factory=dict)
    train_limit_s: float = Limits().train
    installation: Installation = HERE
    threads: int | None = None
    given_builds: Builds | None = None
    builds: Builds = field(init=False)
    training: Training = field(init=False)
    refusals: Refusals = field(init=False)
    _builder: BuilderProcess = field(init=False)

    def __post_init__(self) -> None:
        self.builds = self.given_builds or Builds(self.cache, self.installation)
        self.training = Training(self.cache, self.train_limit_s, self.installation, self.builds)
        self.refusals = Refusals(self._ask, self.engine, self.pythons)
        self._builder = BuilderProcess(self.limit_s, self._builder_variables, self.installation, self.threads)

    def beside(self, builds: Builds, threads: int | None = None) -> Workshop:
        """Another workshop of the same run, for another thread: what engines refuse is known to both."""
        limits = self.limit_s, self.pythons, self.train_limit_s
        other = Workshop(self.cache, *limits, self.installation, threads, builds)
        other.refusals.known = self.refusals.known
        return other

    def weights(self, case: Case) -> Artifact:
        """The case's weights: trained now or earlier, read from a file or public name, or signal-keeping."""
        if case.network.trained_by is not None:
            return self.training.weights(case)
        spec = case.network
        fields = network_fields(spec)
        parts = {**network(spec), "weights": spec.weights, "versions": reference_versions()}
        if spec.weights != SIGNAL_KEEPING:
            fields["given"] = spec.weights
            path = Path(spec.weights)
            parts["file"] = file_hash(path) if path.is_file() else ""
        return self._get("weights", parts, lambda folder: self._call("weights", folder, **fields))

    def answers(
        self, case: Case, weights: Artifact, data_digest: str, ask: Callable[[], NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        """Eager's answers to all N test images: the five best classes of each, best first, as (N, 5).

        They are kept in the cache. Where they are not there yet, ``ask()`` gets them from the paired reference; it
        returns the same shape. ``data_digest`` is a hash of the images. Raises CallFailed, as ``ask`` may do.
        """
        runtime = case.runtime
        run = {"device": runtime.device, "batch_size": runtime.batch_size, "threads": runtime.threads}
        parts = {**reference_parts(case.network, weights), **run, "data": data_digest, "hardware": hardware(runtime)}
        artifact = self._get("answers", parts, lambda folder: np.save(folder / ANSWERS, ask()))
        answers: NDArray[np.int64] = np.load(artifact.folder / ANSWERS)
        return answers

    def reference(self, spec: NetworkSpec, weights: Artifact) -> Reference:
        """The images and the float64 logits with which the network's output is compared."""
        parts = reference_parts(spec, weights)
        fields = {**network_fields(spec), "weights": str(weights.folder)}
        folder = self._get("reference", parts, lambda folder: self._call("reference", folder, **fields)).folder
        return Reference.read(folder)

    def images(self, spec: NetworkSpec) -> Path:
        """The file of the network's images (8, 3, S, S) in float32, for callers that need no reference."""
        parts = {**network(spec), "versions": reference_versions()}
        fields = network_fields(spec)
        return self._get("images", parts, lambda folder: self._call("images", folder, **fields)).folder / IMAGES

    def rounding(self, case: Case, weights: Artifact, reference: Reference) -> float:
        """Eager's parity error on a CPU in the case's precision, in units of the spread."""
        fields = self._compared(weights, reference, case.runtime.precision)
        parts = {**reference_parts(case.network, weights), "precision": fields["precision"]}
        folder = self._get("rounding", parts, lambda folder: self._call("rounding", folder, **fields)).folder
        error: float = json.loads((folder / FACTS).read_text())["error"]
        return error / reference.spread

    def row_reference(self, case: Case, weights: Artifact, reference: Reference) -> RowReference:
        """The maps with which those of every end point are compared, where logits cannot tell a fault from rounding."""
        fields = self._compared(weights, reference, case.runtime.precision)
        parts = {**reference_parts(case.network, weights), "precision": fields["precision"]}
        folder = self._get("rows", parts, lambda folder: self._call("row_reference", folder, **fields)).folder
        return RowReference.read(folder)

    def artifact(self, case: Case, weights: Artifact, images: Path, *, rows: bool = False) -> Artifact:
        """What the case's backend loads: its own export, or the weights where it exports nothing.

        ``images`` is the file of images from which the example batch of the export is taken. With ``rows`` the export
        gives the maps of all end points instead of the logits. An engine that compiles does so after the export, in a
        worker of its own.
        """
        registered = find_backend(case.runtime.backend)
        if not registered.exports:
            return weights
        if not registered.compiles:
            return self.graph(case, weights, images, rows=rows)
        if not _builds_without_device(case.runtime):
            self.refusals.require(case.runtime)
        return self._compiled(case, self.graph(case, weights, images, rows=rows))

    def graph(self, case: Case, weights: Artifact, images: Path, *, rows: bool = False) -> Artifact:
        """What the case's backend exports, before its engine compiles it; arguments as of ``artifact``."""
        runtime = case.runtime
        registered = find_backend(runtime.backend)
        shared = getattr(registered.backend, "graph", None)
        chosen, precision = dict(runtime.options), runtime.precision
        if shared is not None:  # tf32 only matters when the graph runs: the graph itself is that of fp32
            wanted = getattr(registered.backend, "graph_options", ())
            chosen = {name: value for name, value in chosen.items() if name in wanted}
            precision = {"tf32": "fp32"}.get(precision, precision)
        built = {
            "batch_size": runtime.batch_size,
            "precision": precision,
            "device": "" if shared else runtime.device,
            "options": chosen,
            "rows": rows,
        }
        parts = {**network(case.network), **registered.graph_identity(), **built, "weights": weights.digest}
        if not shared:
            parts["hardware"] = hardware(runtime)
        fields = {"backend": registered.target, "weights": str(weights.folder), "images": str(images), **built}
        kind = shared or runtime.backend
        return self._get(kind, parts, lambda folder: self._call("artifact", folder, **fields))

    def engine(self, runtime: Runtime, limit: TimeLimit | None = None) -> Engine:
        """An engine in a fresh worker; each reply may take ``limit_s`` seconds unless ``limit`` is given."""
        return Engine(self.worker(runtime), CallLimit(self.limit_s) if limit is None else limit)

    def worker(self, runtime: Runtime) -> Process:
        """A fresh worker process for the runtime's backend, run by the interpreter that ``pythons`` names for it."""
        variables = {
            "OMP_NUM_THREADS": str(runtime.threads),
            "MKL_NUM_THREADS": str(runtime.threads),
            **ALLOCATOR,
            **self._compiler_variables(on_gpu=runtime.device == "cuda"),
        }
        python = self.pythons.get(runtime.backend)
        return Process(WORKER, python=python, environment=variables, installation=self.installation)

    def _compiled(self, case: Case, graph: Artifact) -> Artifact:
        runtime = case.runtime
        registered = find_backend(runtime.backend)
        without_device = _builds_without_device(runtime)
        setup, engine = setup_of(case), self.engine(runtime)
        try:
            started = engine.start(registered.target, runtime.device, without_device=without_device)
            parts = {
                "graph": graph.digest,
                "backend": runtime.backend,
                "source": registered.source(),
                "versions": dict(started.versions),
                "hardware": {name: value for name, value in started.hardware.items() if name != "pci"},
                "setup": vars(setup),
            }

            def compile_into(folder: Path) -> None:
                engine.compile(graph.folder, folder, setup, without_device=without_device)

            compiled = self._get(runtime.backend, parts, compile_into)
        finally:
            engine.kill()
        return replace(compiled, build_s=compiled.build_s + graph.build_s)

    def _compared(self, weights: Artifact, reference: Reference, precision: str) -> dict[str, str]:
        return {
            "weights": str(weights.folder),
            "reference": str(reference.images.parent),
            "precision": MEASURED_AS[precision],
        }

    def _compiler_variables(self, *, on_gpu: bool) -> dict[str, str]:
        """The variables that make inductor, Triton and TensorRT keep compiled code and timings in the cache's folder.

        With one thread inductor compiles in the calling process. With more, for the hundreds of kernels of a network
        ``on_gpu``, it starts processes, which end by themselves when the worker ends.
        """
        root = self.cache.filled("inductor")
        return {
            "TORCHINDUCTOR_CACHE_DIR": str(root / "code"),
            "TRITON_CACHE_DIR": str(root / "triton"),
            "TORCHINDUCTOR_COMPILE_THREADS": str(usable_cores() if on_gpu else 1),
            TIMINGS: str(self.cache.filled("timings")),
        }

    def count(self, spec: NetworkSpec) -> Counted:
        """Params and MACs as fvcore and FlopCounterMode count them."""
        return Counted.from_json(self._ask("count", **network_fields(spec)))

    def interrupt(self) -> None:
        """From another thread than the one that builds or trains here: end the process that it waits for."""
        self.training.interrupt()
        self._builder.interrupt()

    def close(self) -> None:
        """End the builder process and the process that trains."""
        self.training.close()
        self._builder.close()

    def _get(self, kind: str, parts: Mapping[str, Any], build: Callable[[Path], None]) -> Artifact:
        return self.builds.get(kind, parts, build)

    def _call(self, op: str, folder: Path, **fields: Any) -> None:
        self._ask(op, folder=str(folder), **fields)

    def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self._builder.ask(op, **fields)

    def _builder_variables(self) -> dict[str, str]:
        return self._compiler_variables(on_gpu=driver_problem() is None)


def _builds_without_device(runtime: Runtime) -> bool:
    """Whether there is no GPU in this machine, and the runtime's engine can compile for a GPU all the same."""
    return (
        getattr(find_backend(runtime.backend).backend, "builds_without_device", False) and driver_problem() is not None
    )


def weights_name(spec: NetworkSpec, weights: Artifact) -> str:
    """The name of the weights on a board: ``signal-keeping``, ``trained:HASH``, a public name, or ``FILE:HASH``."""
    if spec.weights == SIGNAL_KEEPING:
        return SIGNAL_KEEPING
    path = Path(spec.weights)
    short = file_hash(weights.folder / WEIGHTS_FILE)[:12]
    if spec.trained_by is not None:
        return f"trained:{short}"
    return f"{path.name}:{short}" if path.is_file() else spec.weights


def setup_of(case: Case, *, rows: bool = False) -> Setup:
    """How a session of the case is to run."""
    run, size = case.runtime, case.network.input_size
    return Setup(run.device, run.precision, run.threads, run.batch_size, size, dict(run.options), rows)
