"""What the test of a suite drives: cells, networks, trainings, factorisations, claims, comparisons."""
