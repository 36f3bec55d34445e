"""The papers' networks as tables, a paper a file."""
