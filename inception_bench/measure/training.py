"""How the coordinator has networks trained: by which process, and how trained weights become artifacts."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from inception_bench.data.sets import DataSplits, open_data
from inception_bench.machine.cuda import device_identity, driver_problem
from inception_bench.machine.environment import installed_version, usable_cores
from inception_bench.measure.builds import Builds
from inception_bench.measure.timed_step import TimedStep
from inception_bench.models.public import find_table
from inception_bench.models.weights.description import read_description
from inception_bench.processes.installation import HERE, Installation
from inception_bench.processes.process import CallFailed, Process
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec, trained_weights
from inception_bench.spec.runtime import REFERENCE_BACKEND, Runtime
from inception_bench.store.cache import PACKAGE, Artifact, ArtifactCache, source_hash
from inception_bench.train.job import FULL, PRECISION_OF_STEP, Job, Machine
from inception_bench.train.recipes import find_recipe
from inception_bench.train.trained import Trained

TRAINER = "inception_bench.trainer"
RESULT, COURSE = "trained.json", "course.json"
WARMUP_STEPS = 2
# All code that decides what training makes of a job.
SOURCES = ("models/**/*.py", "data/**/*.py", "train/**/*.py")
# Left out of SOURCES: a job holds the values of its own recipe, so a change of another recipe does not concern it.
RECIPES = "train/recipes.py"
_PACKAGES = ("torch", "lightning-fabric", "scikit-learn", "pillow")


def job_of(case: Case) -> Job:
    """The job that trains the weights of a case. Raises UsageError where its network has no such recipe.

    A job trains in full binary32 whatever the case's precision, so that the cells of all precisions run the same
    trained network.
    """
    network, runtime = case.network, case.runtime
    if network.trained_by is None:
        raise ValueError(f"the weights of {case.id} are not trained here: {network.weights}")
    recipe, seed = network.trained_by
    return Job(
        network.address,
        network.data,
        find_recipe(recipe, network.address),
        seed,
        network.width_mult,
        network.input_size,
        machine=Machine(runtime.device, FULL, runtime.threads),
    )


def case_of(job: Job, trained: Trained) -> Case:
    """The case of a training that no suite asked for, so that its record looks like those of suites.

    The number of classes is read from the network that the training wrote.
    """
    job = on_one_device(job)
    table, machine = find_table(job.model), job.machine
    precision = next(name for name, other in PRECISION_OF_STEP.items() if other == machine.precision)
    network = read_description(Path(trained.checkpoint or ""))
    weights = trained_weights(job.recipe.name, job.seed)
    return Case(
        NetworkSpec(table.name, table.definition, job.size, job.width, network["num_classes"], weights, job.data),
        Runtime(REFERENCE_BACKEND, machine.device, precision, job.recipe.batch_size, machine.threads or usable_cores()),
    )


def step_job(case: Case) -> Job:
    """The job to which a training step of a case belongs, in the case's own precision."""
    job = job_of(case)
    return replace(job, machine=replace(job.machine, precision=PRECISION_OF_STEP[case.runtime.precision]))


def network_data(network: NetworkSpec, cache: Path) -> DataSplits:
    """The images of the data set that a network names, at the network's input size and with its preprocessing."""
    return open_data(network.data, network.input_size, find_table(network.address).preprocessing, cache=cache)


def on_one_device(job: Job) -> Job:
    """The job with the device ``auto`` replaced by ``cuda`` or ``cpu``, whichever this machine has.

    Imports no torch and makes no context on a GPU.
    """
    if job.machine.device != "auto":
        return job
    device = "cuda" if driver_problem() is None else "cpu"
    return replace(job, machine=replace(job.machine, device=device))


def training_identity(job: Job) -> dict[str, Any]:
    """Everything but code and versions that decides the weights which a training gives, as JSON values.

    The order in which a machine adds numbers changes how they are rounded, and so the weights. Weights that were
    trained on one CPU are taken to be those of every CPU. On a GPU the order depends on its name, compute capability
    and driver, which are therefore part of the identity; the precision is in the job's own identity.
    """
    gpu = {"gpu": device_identity() or {}} if job.machine.device == "cuda" else {}
    return {"job": job.identity(), "table": repr(find_table(job.model)), **gpu}


@dataclass
class Training:
    """Trains the networks that cases need, each once.

    Trained weights are an artifact in the cache; a training that failed is not tried again. A training that was killed
    goes on from its last checkpoint, which lies beside the artifacts. A course is how a training went, without its
    weights; one process computes all courses, and a new process is started where that one has ended.
    """

    cache: ArtifactCache
    limit_s: float
    installation: Installation = HERE
    builds: Builds | None = None
    _builds: Builds = field(init=False)
    _courses: Process | None = field(default=None, init=False)
    _trainer: Process | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._builds = self.builds or Builds(self.cache, self.installation)

    def weights(self, case: Case) -> Artifact:
        """The trained weights of a case, with ``trained.json`` in the same folder. Raises CallFailed."""
        return self._once("trained", job_of(case), {}, lambda folder, work: self._train(case, folder, work))

    def course(self, job: Job) -> dict[str, Any]:
        """How the training of ``job`` went (see ``train.course``); its weights are not kept. Raises CallFailed."""
        job = on_one_device(job)
        looked_at = {"evaluate_at": job.evaluate_at, "evaluations": job.evaluations}
        artifact = self._once("courses", job, looked_at, lambda folder, work: self._follow(job, folder, work))
        course: dict[str, Any] = json.loads((artifact.folder / COURSE).read_text())
        return course

    def result(self, case: Case) -> Trained:
        """The result of the training of a case; its checkpoint is the artifact's folder. Raises CallFailed."""
        artifact = self.weights(case)
        stored = json.loads((artifact.folder / RESULT).read_text())
        return Trained.from_json({**stored, "checkpoint": str(artifact.folder), "cached": artifact.cached})

    def process(self, runtime: Runtime) -> Process:
        """A fresh process for training steps on a runtime."""
        variables = {"OMP_NUM_THREADS": str(runtime.threads)}
        return Process(TRAINER, environment=variables, installation=self.installation)

    def interrupt(self) -> None:
        """From another thread than the one that trains: end its process, so that its call fails now."""
        if self._trainer is not None:
            self._trainer.interrupt()

    def close(self) -> None:
        """End the process that computes courses."""
        if self._courses is not None:
            self._courses.kill()
            self._courses = None

    def _once(self, kind: str, job: Job, more: Mapping[str, Any], make: Callable[[Path, Path], None]) -> Artifact:
        """The artifact of a job, from the cache or made now.

        ``make`` gets the artifact's folder, which it fills, and a second folder for its own use, which is kept where
        the process is killed. ``more`` are further parts of the artifact's key.
        """
        parts = {
            **training_identity(job),
            "source": source_hash(PACKAGE, *SOURCES, without=RECIPES),
            "versions": {name: installed_version(name) for name in _PACKAGES},
            **more,
        }
        key = self._builds.key(kind, parts)

        def make_and_tidy(folder: Path) -> None:
            work = self.cache.filled("training", key)
            work.mkdir(parents=True, exist_ok=True)
            make(folder, work)
            shutil.rmtree(work, ignore_errors=True)

        return self._builds.get(kind, parts, make_and_tidy, once=True)

    def _follow(self, job: Job, folder: Path, work: Path) -> None:
        if self._courses is None or not self._courses.alive:
            variables = {"OMP_NUM_THREADS": str(job.machine.threads)}
            self._courses = Process(TRAINER, environment=variables, installation=self.installation)
        course, _ = self._courses.call("course", self.limit_s, job=asdict(job), work=str(work))
        (folder / COURSE).write_text(json.dumps(course))

    def _train(self, case: Case, folder: Path, work: Path) -> None:
        variables = {"OMP_NUM_THREADS": str(job_of(case).threads)}
        self._trainer = Process(TRAINER, environment=variables, installation=self.installation)
        try:
            result, _ = self._trainer.call("train", self.limit_s, case=case.to_json(), work=str(work))
        finally:
            self._trainer.kill()
        for path in Path(result["checkpoint"]).iterdir():
            shutil.copyfile(path, folder / path.name)
        (folder / RESULT).write_text(json.dumps(result))


@dataclass
class StepTiming:
    """Has one training step timed by a process of its own. All its rounds together may take ``limit_s`` seconds."""

    case: Case
    training: Training
    limit_s: float
    rounds: list[dict[str, Any]] = field(default_factory=list, init=False)
    memory: dict[str, Any] = field(default_factory=dict, init=False)

    def begin(self) -> None:
        """Make the network and warm up. Like all methods that call the process, raises CallFailed."""
        self._until = time.monotonic() + self.limit_s
        self._process = self.training.process(self.case.runtime)
        self.memory = self._call("begin", case=self.case.to_json(), warmup_rounds=WARMUP_STEPS)
        asked, effective = PRECISION_OF_STEP[self.case.runtime.precision], self.memory["precision"]
        if effective != asked:
            raise CallFailed("mislabelled", f"asked for a step in {asked}, got one in {effective}")

    def round(self) -> float:
        """Time one step; returns its seconds, as the process measured them."""
        self.rounds.append(self._call("round"))
        return float(self.rounds[-1]["seconds"])

    def end(self) -> None:
        """Ask for the peaks of memory."""
        self.memory |= self._call("end")

    def close(self) -> None:
        """End the process."""
        self._process.kill()

    def timed(self) -> TimedStep:
        """Everything that was measured; to be called after ``end``."""
        rounds = {name: [reply[name] for reply in self.rounds] for name in ("seconds", "preempted")}
        return TimedStep.from_json({**rounds, **self.memory})

    def _call(self, op: str, **fields: Any) -> dict[str, Any]:
        return self._process.call(op, max(self._until - time.monotonic(), 0.0), **fields)[0]
