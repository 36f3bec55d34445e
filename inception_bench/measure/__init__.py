"""Measuring a cell: processes, parity, paired rounds, and what the machine did meanwhile."""
