"""Whether all counters of params and MACs agree. Any difference, however small, is a fault in a table or a counter."""

from __future__ import annotations

from inception_bench.models.complexity import Complexity, complexity
from inception_bench.models.counted import Counted
from inception_bench.models.public import find_table
from inception_bench.spec.network import NetworkSpec


def network_complexity(network: NetworkSpec, *, aux: bool = False) -> Complexity:
    """The params and MACs of a network, computed from its table."""
    return complexity(
        network.address,
        input_size=network.input_size,
        width_mult=network.width_mult,
        num_classes=network.num_classes,
        aux=aux,
    )


def count_disagreements(network: NetworkSpec, counted: Counted) -> list[str]:
    """A sentence for each figure on which the table's arithmetic and a counter differ.

    A counter that is not installed has no figure, and so makes no sentence.
    """
    costs = network_complexity(network)
    figures = [
        ("params", costs.params_without_aux, "numel", counted.params),
        ("MACs", costs.macs, "fvcore", counted.macs_fvcore),
        ("MACs", costs.macs, "FlopCounterMode", counted.macs_flop_counter),
    ]
    if find_table(network.address).aux:
        whole = network_complexity(network, aux=True)
        figures.append(("params with aux heads", whole.params, "numel", counted.params_with_aux))
    return [
        f"{network.address}: {figure} {by_table:,} by table, {by_counter:,} by {counter}"
        for figure, by_table, counter, by_counter in figures
        if by_counter is not None and by_table != by_counter
    ]


def counting_line(counted: Counted) -> str:
    """In one line, the params and MACs of a network whose counters all agree, and which counters those are."""
    figures = f"{counted.params:,} params, {counted.macs_flop_counter:,} MACs"
    if counted.macs_fvcore is None:
        return f"{figures}, table and FlopCounterMode agree; fvcore is not installed"
    return f"{figures}, all counters agree"
