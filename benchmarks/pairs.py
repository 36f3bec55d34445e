"""What the benchmarks here share: a worker on one network, and the print of a paired ratio."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inception_bench.backends.registry import find_backend
from inception_bench.measure.engine import Engine
from inception_bench.measure.workshop import Workshop, setup_of
from inception_bench.models.public import find_table
from inception_bench.records.statistics import median, median_interval
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import ArtifactCache, default_root

LIMIT_S = 600.0
WARMUP_ROUNDS = 10


@dataclass(frozen=True)
class Prepared:
    """A built case: its artifact and its images on disk."""

    case: Case
    workshop: Workshop
    folder: Path
    images: Path

    def engine(self) -> Engine:
        """A fresh worker, loaded and warm."""
        runtime = self.case.runtime
        engine = self.workshop.engine(runtime)
        engine.start(find_backend(runtime.backend).target, runtime.device)
        engine.load(self.folder, setup_of(self.case))
        engine.first(self.images, runtime.batch_size)
        engine.warm_up(WARMUP_ROUNDS)
        engine.begin()
        return engine


def prepare(model: str, backend: str, threads: int) -> Prepared:
    table = find_table(model)
    network = NetworkSpec(table.name, table.definition, table.input_size, 1.0, 1000)
    case = Case(network, Runtime(backend, "cpu", "fp32", 1, threads))
    workshop = Workshop(ArtifactCache(default_root()), LIMIT_S)
    weights = workshop.weights(case)
    reference = workshop.reference(case.network, weights)
    artifact = workshop.artifact(case, weights, reference.images)
    workshop.close()
    return Prepared(case, workshop, artifact.folder, reference.images)


def arguments(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--models", default="googlenet,inception_v3")
    parser.add_argument("--backends", default="eager,onnxruntime")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=200)
    return parser.parse_args()


def print_ratio(name: str, first: Sequence[float], second: Sequence[float], what: str) -> None:
    """The median of first over second, pair by pair, with its 95 % interval."""
    ratios = [one / other for one, other in zip(first, second, strict=True)]
    found = median_interval(ratios)
    print(
        f"{name:28} {what}: {found.value:.4f} (95 % {found.low:.4f}-{found.high:.4f}), {len(ratios)} pairs, "
        f"medians {median(first) * 1e3:.2f} and {median(second) * 1e3:.2f} ms",
        flush=True,
    )
