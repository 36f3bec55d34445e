"""Which pairs a run times: the papers' factorisations, on the runtimes and batches that were asked for."""

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

# What a short run times; a profile that times all batches has room for all modules.
HANDFUL = ("two_3x3_for_5x5", "1x1_before_5x5", "1x7_7x1_for_7x7", "three_3x3_stem")

# A module takes a millisecond where a network takes fifty, and its rounds scatter more.
MODULE_ROUNDS = 4


def pair_rounds(model: str) -> int:
    """How many rounds at least a pair takes whose new side is ``model``: enough for a ratio, in every profile."""
    return LEAST_ROUNDS * (MODULE_ROUNDS if model.startswith(MODULE) else 1)


def selected_pairs(selection: Selection) -> list[Pair]:
    """A pair a factorisation, runtime, precision and batch; a short profile takes a handful of factorisations."""
    cases, every = selection.cases, selection.profile.claims in ("timed", "all")
    return [
        make_pair(found, where)
        for name, found in factorisations().items()
        if every or name in HANDFUL
        for where in runtimes(cases)
    ]


def named_pairs(
    name: str, cases: Sequence[Case], *, backends: Sequence[str] = (), batch_sizes: Sequence[int] = ()
) -> list[Pair]:
    """One pair on every runtime and batch of ``cases``; ``backends`` and ``batch_sizes`` replace theirs."""
    found = (factorisations() | network_pairs())[name]
    where = runtimes(cases)
    if batch_sizes:
        where = [replace(runtime, batch_size=size) for runtime in where for size in batch_sizes]
    if backends:
        where = [_on(runtime, backend) for runtime in where for backend in backends]
    return [make_pair(found, runtime) for runtime in dict.fromkeys(where)]


def runtimes(cases: Sequence[Case]) -> list[Runtime]:
    """The runtimes among ``cases``, each once, whatever the network."""
    return list(dict.fromkeys(case.runtime for case in cases))


def make_pair(found: Factorisation, where: Runtime) -> Pair:
    """The pair on one runtime."""
    return Pair(found.name, Case(_network(found.new), where), Case(_network(found.old), where))


def _network(address: str) -> NetworkSpec:
    """At its paper's scale."""
    table = find_table(address)
    outputs = OUTPUTS if address.startswith(MODULE) else NUM_CLASSES
    return NetworkSpec(table.name, table.definition, table.input_size, 1.0, outputs)


def _on(runtime: Runtime, backend: str) -> Runtime:
    name, _, options = backend.partition("[")
    words = options.removesuffix("]").split(";") if options else []
    return replace(runtime, backend=name, options=read_options(name, words))
