"""What a run needs from the cache is built before its first timed item, on all cores.

What is timed has the machine for itself; what is built need not, and little of it gains by a second thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_bench.backends.registry import find_backend
from inception_bench.machine.environment import usable_cores
from inception_bench.machine.memory import available_bytes
from inception_bench.measure.builds import NotBuilt
from inception_bench.measure.counting import network_complexity
from inception_bench.measure.lanes import Lane, Queue, Task
from inception_bench.measure.parity import LIMITS
from inception_bench.measure.workshop import Workshop
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec

# What a builder takes at most: Inception-v4's reference in float64 and its mutations, or its export, took 1 to 2 GB.
BUILDER_BYTES = 2 << 30


@dataclass(frozen=True)
class Wanted:
    """What a run is going to need: what ``cells`` load and are compared with, and the weights of ``trainings``.

    A cell of the paired reference is of the same network and exports nothing, so that it need not be listed.
    """

    cells: tuple[Case, ...] = ()
    trainings: tuple[Case, ...] = ()

    def chains(self, pythons: Mapping[str, str]) -> list[Chain]:
        """What is built ahead of it, a chain a network.

        Left out is what this machine has not, and what is on a GPU or comes from an engine that only a worker can ask
        what it refuses: their cells build it when they begin.
        """
        cases: dict[NetworkSpec, list[Case]] = {}
        for case in self.cells:
            if _is_built_here(case, pythons):
                cases.setdefault(case.network, []).append(case)
        trainings = {case.network: case for case in self.trainings if case.runtime.device == "cpu"}
        return [
            Chain(trainings.get(network) or cases[network][0], tuple(cases.get(network, ())), network in trainings)
            for network in dict.fromkeys((*trainings, *cases))
        ]


@dataclass(frozen=True)
class Chain:
    """One network: its weights, and for its ``cells`` the reference of its output and an export for each runtime.

    ``case`` is any of them. With ``trains`` the weights are needed even where no cell can run.
    """

    case: Case
    cells: tuple[Case, ...]
    trains: bool

    @property
    def work(self) -> tuple[bool, float]:
        """Which of two chains takes longer: the greater one. A training does, and then what has more MACs."""
        return self.case.network.trained_by is not None, network_complexity(self.case.network).macs

    def exports(self) -> list[Case]:
        """A cell of each export; of several cells that share one, the first."""
        found: dict[object, Case] = {}
        for case in self.cells:
            registered, runtime = find_backend(case.runtime.backend), case.runtime
            if registered.exports:
                kind = getattr(registered.backend, "graph", None) or runtime.backend
                options = tuple(runtime.options.items())
                found.setdefault((kind, options, runtime.precision, runtime.batch_size), case)
        return list(found.values())


@dataclass(frozen=True)
class Head:
    """Make a chain's weights and reference; its exports follow."""

    chain: Chain

    def run(self, workshop: Workshop) -> Sequence[Task]:
        """Raises CallFailed, for which each cell that needs it will end; NotBuilt of a workshop that only looks."""
        cells = [case for case in self.chain.cells if not _is_refused(case, workshop)]
        if not cells and not self.chain.trains:
            return []
        weights = workshop.weights(self.chain.case)
        if cells:
            reference = workshop.reference(self.chain.case.network, weights)
            for case in {case.runtime.precision: case for case in cells}.values():
                if case.runtime.precision not in LIMITS:
                    workshop.rounding(case, weights, reference)
        return [Export(self.chain, case) for case in replace(self.chain, cells=tuple(cells)).exports()]


@dataclass(frozen=True)
class Export:
    """Make one export of a network whose weights and reference are there."""

    chain: Chain
    case: Case

    def run(self, workshop: Workshop) -> Sequence[Task]:
        """As of ``Head``."""
        if _is_refused(self.case, workshop):
            return []
        weights = workshop.weights(self.case)
        workshop.graph(self.case, weights, workshop.reference(self.case.network, weights).images)
        return []


@dataclass
class Ahead:
    """Builds ahead for the cells that ``workshop`` will be asked for."""

    workshop: Workshop

    def build(self, wanted: Wanted, watch: Callable[[int, int], None]) -> None:
        """Make all of it that is not in the cache. Where everything is, no process starts, and ``watch`` is not called.

        ``watch`` is told how many networks are done, of how many. What fails is raised where it is needed, not here.
        """
        tasks = missing(wanted.chains(self.workshop.pythons), self.workshop)
        if not tasks:
            return
        queue = Queue(tasks)
        lanes = [Lane(workshop, queue) for workshop in self._workshops(tasks)]
        try:
            for lane in lanes:
                lane.start()
            queue.wait(watch)
        finally:
            queue.stop()
            for lane in lanes:
                lane.finish()

    def _workshops(self, tasks: Sequence[Head | Export]) -> list[Workshop]:
        """One for each builder; where there are fewer networks than cores, each builder has several threads."""
        cores, ahead = usable_cores(), self.workshop.builds.ahead()
        chains = {task.chain for task in tasks}
        most = sum(1 + len(chain.exports()) for chain in chains)
        count = max(min(cores, most, available_bytes() // BUILDER_BYTES), 1)
        threads = max(cores // min(count, len(chains)), 1)
        return [self.workshop.beside(ahead, threads) for _ in range(count)]


def missing(chains: Iterable[Chain], workshop: Workshop) -> list[Head | Export]:
    """The first tasks of what is not in the cache yet, from the longest. Starts no process."""
    looking = workshop.beside(workshop.builds.lookup())
    looking.refusals.asks = False
    tasks: list[Head | Export] = []
    for chain in sorted(chains, key=lambda chain: chain.work, reverse=True):
        head = Head(chain)
        if _is_missing(head, looking):
            tasks.append(head)
        else:
            tasks += [export for case in chain.exports() if _is_missing(export := Export(chain, case), looking)]
    return tasks


def _is_missing(task: Head | Export, looking: Workshop) -> bool:
    try:
        task.run(looking)
    except NotBuilt:
        return True
    except CallFailed:  # from the cache of a later revision, as each cell will say
        pass
    return False


def _is_built_here(case: Case, pythons: Mapping[str, str]) -> bool:
    runtime, registered = case.runtime, find_backend(case.runtime.backend)
    if runtime.device != "cpu" or runtime.backend in pythons or registered.compiles:
        return False
    return registered.missing() is None and registered.unsupported(runtime.device, runtime.precision) is None


def _is_refused(case: Case, workshop: Workshop) -> bool:
    """Whether an engine of the cell cannot do what is asked, or say so: the cell builds nothing then, and tells why."""
    try:
        for each in (case, case.reference()):
            workshop.refusals.require(each.runtime)
    except CallFailed:
        return True
    return False
