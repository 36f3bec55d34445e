"""Each factorisation of the papers beside what it replaces, on every runtime: MACs saved, time saved."""


def test_module(benchmark, pair):
    """Both outputs are right, and these are the times."""
    pair.measure(benchmark)
