"""Trials that show how often the gate finds a true slow-down and how often it raises a false alarm."""
