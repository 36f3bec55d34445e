"""What was measured, kept raw: a line a record."""
