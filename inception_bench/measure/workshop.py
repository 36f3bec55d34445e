"""The coordinator's side of building: what a case needs, from the cache or the builder process."""

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
from inception_bench.measure.engine import WORKER, CallLimit, Engine, TimeLimit
from inception_bench.measure.identity import hardware, network, network_fields, reference_parts, reference_versions
from inception_bench.measure.parity import MEASURED_AS, RowScale
from inception_bench.measure.refusals import Refusals
from inception_bench.measure.training import Training
from inception_bench.models.counted import Counted
from inception_bench.processes.installation import HERE, Installation
from inception_bench.processes.process import CallFailed, Process
from inception_bench.spec.case import Case
from inception_bench.spec.network import SIGNAL_KEEPING, NetworkSpec
from inception_bench.spec.profile import Limits
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import Artifact, ArtifactCache
from inception_bench.store.equal import file_hash
from inception_bench.store.versions import NewerVersionError

BUILDER = "inception_bench.builder"
IMAGES = "images.npy"
ANSWERS = "answers.npy"
WEIGHTS_FILE = "weights.safetensors"

# glibc hands freed maps back to the kernel or keeps them, by a threshold that moves with a process's history: two
# identical workers were seen to differ by 9 to 12 % (5,370 page faults a call against none). Here all keep them.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}


@dataclass(frozen=True)
class Reference:
    """Eager float64's answer: images (8, 3, S, S) on disk, logits (8, classes), spread, mutations' errors."""

    images: Path
    logits: np.ndarray
    spread: float
    mutations: dict[str, float]


@dataclass(frozen=True)
class RowReference:
    """Every end point in float64: images (2, 3, S, S) on disk, maps (2, all values), a scale an end point."""

    images: Path
    maps: np.ndarray
    scales: list[RowScale]


@dataclass
class Workshop:
    """Builds what cases need. One builder process serves all, and a new one follows where it dies.

    ``limit_s`` and ``train_limit_s`` are the seconds that building and training may take. ``pythons``
    names another interpreter for the workers of a backend. All processes are those of ``installation``,
    and what another one than the running one builds is kept apart. Inductor compiles with ``compile_threads``.
    """

    cache: ArtifactCache
    limit_s: float
    pythons: Mapping[str, str] = field(default_factory=dict)
    train_limit_s: float = Limits().train
    installation: Installation = HERE
    compile_threads: int = 1
    training: Training = field(init=False)
    refusals: Refusals = field(init=False)
    _builder: Process | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.training = Training(self.cache, self.train_limit_s, self.installation)
        self.refusals = Refusals(self._ask, self.engine, self.pythons)

    def weights(self, case: Case) -> Artifact:
        """The case's weights: trained first, read from what was given, or signal-keeping. Raises CallFailed."""
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
        """Eager's best classes of all test images, asked once of the paired reference and kept."""
        runtime = case.runtime
        run = {"device": runtime.device, "batch_size": runtime.batch_size, "threads": runtime.threads}
        parts = {**reference_parts(case.network, weights), **run, "data": data_digest, "hardware": hardware(runtime)}
        found = self._get("answers", parts, lambda folder: np.save(folder / ANSWERS, ask()))
        answers: NDArray[np.int64] = np.load(found.folder / ANSWERS)
        return answers

    def reference(self, spec: NetworkSpec, weights: Artifact) -> Reference:
        """What the network's output is compared with."""
        parts = reference_parts(spec, weights)
        fields = {**network_fields(spec), "weights": str(weights.folder)}
        folder = self._get("reference", parts, lambda folder: self._call("reference", folder, **fields)).folder
        facts = json.loads((folder / "facts.json").read_text())
        return Reference(folder / "images.npy", np.load(folder / "logits.npy"), facts["spread"], facts["mutations"])

    def images(self, spec: NetworkSpec) -> Path:
        """The images that the network is shown, where no reference is needed."""
        parts = {**network(spec), "versions": reference_versions()}
        fields = network_fields(spec)
        return self._get("images", parts, lambda folder: self._call("images", folder, **fields)).folder / IMAGES

    def rounding(self, case: Case, weights: Artifact, reference: Reference) -> float:
        """Eager's own error in the case's precision, over the spread."""
        fields = self._compared(weights, reference, case.runtime.precision)
        parts = {**reference_parts(case.network, weights), "precision": fields["precision"]}
        folder = self._get("rounding", parts, lambda folder: self._call("rounding", folder, **fields)).folder
        error: float = json.loads((folder / "facts.json").read_text())["error"]
        return error / reference.spread

    def row_reference(self, case: Case, weights: Artifact, reference: Reference) -> RowReference:
        """What every end point's map is compared with, where logits cannot tell a fault from rounding."""
        fields = self._compared(weights, reference, case.runtime.precision)
        parts = {**reference_parts(case.network, weights), "precision": fields["precision"]}
        folder = self._get("rows", parts, lambda folder: self._call("row_reference", folder, **fields)).folder
        scales = [RowScale(**scale) for scale in json.loads((folder / "facts.json").read_text())["scales"]]
        return RowReference(folder / "images.npy", np.load(folder / "logits.npy"), scales)

    def artifact(self, case: Case, weights: Artifact, images: Path, *, rows: bool = False) -> Artifact:
        """What the case's backend loads: its own export, or the weights where it exports nothing.

        An engine that compiles does so in a worker of its own, after the export. Raises CallFailed.
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
        """What the case's backend exports, before its engine compiles it. Raises CallFailed."""
        runtime = case.runtime
        registered = find_backend(runtime.backend)
        shared = getattr(registered.backend, "graph", None)
        chosen, precision = dict(runtime.options), runtime.precision
        if shared is not None:  # tf32 is a matter of running; the graph is that of fp32
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
        """A fresh worker as an engine to ask; each answer may take as long as building unless ``limit`` is given."""
        return Engine(self.worker(runtime), CallLimit(self.limit_s) if limit is None else limit)

    def worker(self, runtime: Runtime) -> Process:
        """A fresh worker for the runtime's backend, in the interpreter that was asked for it."""
        variables = {
            "OMP_NUM_THREADS": str(runtime.threads),
            "MKL_NUM_THREADS": str(runtime.threads),
            **ALLOCATOR,
            **self._compiler_variables(),
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

            own = self._get(runtime.backend, parts, compile_into)
        finally:
            engine.kill()
        return replace(own, build_s=own.build_s + graph.build_s)

    def _compared(self, weights: Artifact, reference: Reference, precision: str) -> dict[str, str]:
        return {
            "weights": str(weights.folder),
            "reference": str(reference.images.parent),
            "precision": MEASURED_AS[precision],
        }

    def _compiler_variables(self) -> dict[str, str]:
        """Where inductor, Triton and TensorRT keep what they compiled and timed: with the other artifacts.

        With one thread inductor compiles in the process that asks. On a GPU it has hundreds of kernels to compile, and
        a pool of processes that end by themselves when the worker does.
        """
        root = self.cache.filled("inductor")
        return {
            "TORCHINDUCTOR_CACHE_DIR": str(root / "code"),
            "TRITON_CACHE_DIR": str(root / "triton"),
            "TORCHINDUCTOR_COMPILE_THREADS": str(self.compile_threads),
            TIMINGS: str(self.cache.filled("timings")),
        }

    def count(self, spec: NetworkSpec) -> Counted:
        """Params and MACs as fvcore and FlopCounterMode count them."""
        return Counted.from_json(self._ask("count", **network_fields(spec)))

    def close(self) -> None:
        """End the builder process, and the trainer's."""
        self.training.close()
        if self._builder is not None:
            self._builder.kill()
            self._builder = None

    def _get(self, kind: str, parts: Mapping[str, Any], build: Callable[[Path], None]) -> Artifact:
        try:
            return self.cache.get(kind, {**parts, **self.installation.identity}, build)
        except NewerVersionError as error:
            raise CallFailed("failed", str(error)) from None

    def _call(self, op: str, folder: Path, **fields: Any) -> None:
        self._ask(op, folder=str(folder), **fields)

    def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        if self._builder is None or not self._builder.alive:
            self._builder = Process(BUILDER, environment=self._compiler_variables(), installation=self.installation)
            self._builder.call("threads", self.limit_s, threads=usable_cores())
        return self._builder.call(op, self.limit_s, **fields)[0]


def _builds_without_device(runtime: Runtime) -> bool:
    """Whether the runtime's engine can compile here although there is no GPU."""
    return (
        getattr(find_backend(runtime.backend).backend, "builds_without_device", False) and driver_problem() is not None
    )


def weights_name(spec: NetworkSpec, weights: Artifact) -> str:
    """What a board says was loaded: ``signal-keeping``, ``trained:HASH``, a public name, or ``FILE:HASH``."""
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
