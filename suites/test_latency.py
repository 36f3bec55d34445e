"""Latency, speed-up and memory of every network on every runtime, each beside eager."""


def test_latency(benchmark, cell):
    """The output is right, the label is true, and these are the times."""
    cell.measure(benchmark)
