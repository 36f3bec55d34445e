"""Compares two runs that lie on disk: their exact facts and, where the machine allows it, their times."""
