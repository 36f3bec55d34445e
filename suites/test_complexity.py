"""Params and MACs of every network: by its table, and by the public counters."""


def test_complexity(benchmark, network):
    """Table arithmetic, numel, fvcore and FlopCounterMode agree exactly."""
    network.count(benchmark)
