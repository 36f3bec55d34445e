"""Trials that show how often the 95 % interval of a speed-up holds the true one."""
