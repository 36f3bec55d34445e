"""What the machine is and does: processor, cores, GPU, environment. Standard library and NumPy at import."""
