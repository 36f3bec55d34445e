"""Runtimes: each builds an artifact from a network and loads it as a session."""
