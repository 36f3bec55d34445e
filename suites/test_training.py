"""A training step's time, and what training comes to: accuracy as trained, and on every runtime."""


def test_step(benchmark, training_step):
    """Forward, backward and update take this long."""
    training_step.time_step(benchmark)


def test_training(benchmark, training):
    """The network learns by its recipe; the test images say how well."""
    training.train(benchmark)


def test_accuracy(benchmark, trained_cell):
    """What was exported of the trained network answers as eager does, and takes this long."""
    trained_cell.measure(benchmark)
