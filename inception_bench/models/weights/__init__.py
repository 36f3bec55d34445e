"""Weights: their names, files, public sources, and the ones that keep signal."""
