"""Which pairs a run times: the papers' factorisations, on the runtimes and batches that were asked for.

A factorisation replaces an old module (or network) by a new one, such as a 5x5 convolution by two 3x3 convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inception_bench.measure.selection import NUM_CLASSES, Selection, read_options
from inception_bench.models.public import find_table
from inception_bench.models.tables.factorisations import MODULE, OUTPUTS, Factorisation, factorisations, network_pairs
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import LEAST_ROUNDS
from inception_bench.spec.runtime import Runtime

# The factorisations that a short run times; profiles that take longer time all of them.
HANDFUL = ("two_3x3_for_5x5", "1x1_before_5x5", "1x7_7x1_for_7x7", "three_3x3_stem")

# The least number of rounds of a pair of networks, in every profile: enough for a ratio.
PAIR_ROUNDS = LEAST_ROUNDS


def selected_pairs(selection: Selection) -> list[Pair]:
    """A pair for each factorisation and each runtime of the run's cases; a short profile takes only ``HANDFUL``."""
    cases, every = selection.cases, selection.profile.claims in ("timed", "all")
    return [
        make_pair(factorisation, runtime)
        for name, factorisation in factorisations().items()
        if every or name in HANDFUL
        for runtime in runtimes(cases)
    ]


def named_pairs(
    name: str, cases: Sequence[Case], *, backends: Sequence[str] = (), batch_sizes: Sequence[int] = ()
) -> list[Pair]:
    """The pair ``name`` on every runtime of ``cases``; ``backends`` and ``batch_sizes`` replace those of the cases."""
    factorisation = (factorisations() | network_pairs())[name]
    chosen = runtimes(cases)
    if batch_sizes:
        chosen = [replace(runtime, batch_size=size) for runtime in chosen for size in batch_sizes]
    if backends:
        chosen = [_on(runtime, backend) for runtime in chosen for backend in backends]
    return [make_pair(factorisation, runtime) for runtime in dict.fromkeys(chosen)]


def runtimes(cases: Sequence[Case]) -> list[Runtime]:
    """The runtimes (backend, device, precision, batch) of ``cases``, each once."""
    return list(dict.fromkeys(case.runtime for case in cases))


def make_pair(factorisation: Factorisation, runtime: Runtime) -> Pair:
    """The new and the old network of a factorisation, both on ``runtime``."""
    return Pair(
        factorisation.name, Case(_network(factorisation.new), runtime), Case(_network(factorisation.old), runtime)
    )


def _network(address: str) -> NetworkSpec:
    """The network or module at its paper's scale."""
    table = find_table(address)
    outputs = OUTPUTS if address.startswith(MODULE) else NUM_CLASSES
    return NetworkSpec(table.name, table.definition, table.input_size, 1.0, outputs)


def _on(runtime: Runtime, backend: str) -> Runtime:
    name, _, options = backend.partition("[")
    words = options.removesuffix("]").split(";") if options else []
    return replace(runtime, backend=name, options=read_options(name, words))
