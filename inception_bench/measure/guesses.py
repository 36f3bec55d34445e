"""How long things are likely to take, before anything of a run has been seen: what a run's time left begins with.

The constants are from default runs on two cores, the reference machine; those of a GPU are from large ones.
``report.progress`` learns from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from inception_bench.measure.ceilings import Ceilings
from inception_bench.measure.counting import network_complexity
from inception_bench.measure.training import job_of
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import LEAST_PAIRS
from inception_bench.spec.runtime import REFERENCE_BACKEND, Runtime

# What the gauge gave on the reference machine: MACs a second in fp32, and seconds of its piece of integer arithmetic.
_REFERENCE_MACS_S, _REFERENCE_SPIN_S = 115e9, 3.5e-3
# Starting a pair of processes of which one imports torch, and one of which none does; what lies around the pairs of a
# cell takes this share of one start, and as much again where something is built.
_TORCH_START_S, _BARE_START_S, _AROUND = 2.5, 0.5, 0.4
_NO_TORCH = frozenset({"onnxruntime", "openvino", "tensorrt", "tensorrt_rtx"})
# A call of eager on two cores: seconds for each layer however small it is, and MACs a second. An engine that rewrites
# the network takes about this share of it.
_LAYER_S, _CPU_MACS_S, _REWRITTEN = 0.06e-3, 60e9, 0.5
# Comparing a network's answers and warming it up takes about as long as so many calls of one image.
_PARITY_CALLS = 15
# Images of a set: those that are trained on, and the test part; of one that is not named here, about so many.
_IMAGES, _SOME_IMAGES = {"digits": (1280, 360), "fashion-mnist": (55_000, 10_000)}, (50_000, 10_000)
# The float64 answers of a network and of its known faults; an export.
_FAULTS_S, _FAULTS_MACS_S = 0.5, 2e9
_EXPORT_S, _EXPORT_LAYER_S, _EXPORT_MACS_S = 0.3, 5e-3, 4e9
# Starting the process that builds and counts, which serves all items; counting a network's MACs by running it.
_BUILDER_S, _COUNT_S, _COUNT_MACS_S = 3.0, 0.3, 14e9
# A training step: for each batch, for each layer, and three times a call's MACs, so many a second.
_STEP_S, _STEP_LAYER_S, _STEP_MACS_S = 0.01, 0.5e-3, 80e9
# Starting a process that trains; looking at what was learned; finding a training in the cache.
_TRAINER_S, _EVALUATION_S, _FOUND_S = 4.0, 3.0, 0.3
# On a large GPU: MACs a second, the seconds beside the rounds of a cell's first pair of processes (libraries, cuDNN's
# search, the window for reading power), starting another pair, and compiling.
_CUDA_MACS_S, _CUDA_CELL_S, _CUDA_START_S = 15e12, 14.0, 5.0
_CUDA_COMPILE_S = {"compile": 45.0, "aot_inductor": 75.0, "tensorrt": 90.0, "tensorrt_rtx": 60.0}


@dataclass(frozen=True)
class Pace:
    """How many times as fast as the reference a machine is: with all threads at ``work``, and one core for the rest."""

    work: float = 1.0
    core: float = 1.0

    @classmethod
    def of(cls, reading: Ceilings) -> Pace:
        """What a reading of the machine says."""
        return cls(reading.fp32_macs_s / _REFERENCE_MACS_S, _REFERENCE_SPIN_S / reading.spin_s)


@dataclass(frozen=True)
class Guess:
    """Seconds, in three parts that differ in what changes them.

    ``start_s`` is for starting processes and the like, which one core does. ``work_s`` is for multiply-accumulates in
    all threads, ``build_s`` the same for what is built once and lies in the cache afterwards.
    """

    start_s: float = 0.0
    work_s: float = 0.0
    build_s: float = 0.0

    def __add__(self, other: Guess) -> Guess:
        return Guess(self.start_s + other.start_s, self.work_s + other.work_s, self.build_s + other.build_s)

    def seconds(self, pace: Pace, *, built: bool) -> float:
        """All parts on a machine of ``pace``; without building where all is ``built``."""
        return self.start_s / pace.core + (self.work_s + (0.0 if built else self.build_s)) / pace.work


# What a run does once, whichever item asks for it first, has a name in these parts, the same for all items.
Parts = Mapping[str, Guess]


def counting_parts(case: Case) -> Parts:
    """Counting the params and MACs of a network, in the builder."""
    return {"builder": Guess(_BUILDER_S), f"count {case.network}": Guess(_COUNT_S, _macs(case) / _COUNT_MACS_S)}


def cell_parts(case: Case, rounds: int) -> Parts:
    """A cell beside eager: ``rounds`` rounds of both, spread over pairs of processes.

    With data, its accuracy is counted too; trained weights are trained first.
    """
    both = _side(case, rounds) + _side(case.reference(), rounds)
    own = {f"cell {case.id}": _starts(case.runtime, REFERENCE_BACKEND) + both}
    training = training_parts(case) if case.network.trained_by else {}
    return {**own, **_accuracy_parts(case), **_reference_parts(case), **training}


def pair_parts(pair: Pair, rounds: int) -> Parts:
    """Two networks beside each other on one runtime: ``rounds`` rounds of both, spread over pairs of processes."""
    runtime = pair.new.runtime
    own = _starts(runtime, runtime.backend) + _side(pair.new, rounds) + _side(pair.old, rounds)
    return {f"pair {pair.id}": own, **_reference_parts(pair.new), **_reference_parts(pair.old)}


def step_parts(case: Case, rounds: int) -> Parts:
    """A process in which a training step is timed."""
    return {f"step {case.training_id}": Guess(_TRAINER_S, rounds * _step_s(case, case.runtime.batch_size))}


def training_parts(case: Case) -> Parts:
    """A training: nearly all of it is done once, and in the cache afterwards."""
    recipe = job_of(case).recipe
    steps = recipe.epochs * _images(case)[0] / recipe.batch_size
    build_s = _TRAINER_S + _EVALUATION_S + steps * _step_s(case, recipe.batch_size)
    return {f"train {case.training_id}": Guess(_FOUND_S, 0.0, build_s)}


def _reference_parts(case: Case) -> Parts:
    own = Guess(0.0, 0.0, _FAULTS_S + _macs(case) / _FAULTS_MACS_S)
    return {"builder": Guess(0.0, 0.0, _BUILDER_S), f"reference {case.network}": own}


def _starts(runtime: Runtime, partner: str) -> Guess:
    """Starting the pairs of processes one after another, and a share of that for all that lies around."""
    if runtime.device != "cpu":
        more = (LEAST_PAIRS - 1) * _CUDA_START_S
        return Guess(_CUDA_CELL_S + more, 0.0, _CUDA_COMPILE_S.get(runtime.backend, 0.0))
    each = _BARE_START_S if {runtime.backend, partner} <= _NO_TORCH else _TORCH_START_S
    return Guess((LEAST_PAIRS + _AROUND) * each, 0.0, _AROUND * each)


def _side(case: Case, rounds: int) -> Guess:
    """What a cell has to do with one of its networks."""
    if case.runtime.device != "cpu":
        # Each round has a call beside it that does not count.
        return Guess(2 * rounds * _macs(case) * case.runtime.batch_size / _CUDA_MACS_S)
    export_s = 0.0 if case.runtime.backend == REFERENCE_BACKEND else _export_s(case)
    return _calls(case, rounds, case.runtime.batch_size) + _calls(case, _PARITY_CALLS) + Guess(build_s=export_s)


def _accuracy_parts(case: Case) -> Parts:
    """The answers to all test images; eager's own, with which others are compared, are asked for once."""
    if not case.network.data or case.runtime.device != "cpu":
        return {}
    number = _images(case)[1]
    eager = _calls(case.reference(), number)
    kept = {f"answers {case.network}": Guess(build_s=eager.start_s + eager.work_s)}
    return {f"accuracy {case.id}": _calls(case, number), **kept}


def _export_s(case: Case) -> float:
    return _EXPORT_S + _EXPORT_LAYER_S * _layers(case.network) + _macs(case) / _EXPORT_MACS_S


def _calls(case: Case, number: int, batch_size: int = 1) -> Guess:
    """Calls of a network; the share of its layers is one core's."""
    each = number * (_REWRITTEN if case.runtime.backend in _NO_TORCH else 1.0)
    return Guess(each * _LAYER_S * _layers(case.network), each * _macs(case) * batch_size / _CPU_MACS_S)


def _step_s(case: Case, batch_size: int) -> float:
    macs = 3 * _macs(case) * batch_size
    if case.runtime.device != "cpu":
        return 2 * macs / _CUDA_MACS_S
    return _STEP_S + _STEP_LAYER_S * _layers(case.network) + macs / _STEP_MACS_S


def _images(case: Case) -> tuple[int, int]:
    return _IMAGES.get(case.network.data, _SOME_IMAGES)


def _macs(case: Case) -> int:
    return network_complexity(case.network).macs


@cache
def _layers(network: NetworkSpec) -> int:
    """How many layers the network's table has."""
    plan = make_plan(
        find_table(network.address),
        input_size=network.input_size,
        width_mult=network.width_mult,
        num_classes=network.num_classes,
    )
    return sum(len(row.layers()) for row in plan.rows)
