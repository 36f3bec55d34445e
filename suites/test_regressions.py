"""With --inception-baseline: nothing got slower, larger, less accurate or wrong since."""


def test_regression(benchmark, regression):
    """What was measured in this session, against the stored run."""
    regression.check()
