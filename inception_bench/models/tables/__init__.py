"""The papers' networks as tables, one file for each paper."""
