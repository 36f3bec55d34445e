"""The sections of ``gpu_probe.py``: what a GPU is, how fast it can be, how exact, and what a call costs."""
