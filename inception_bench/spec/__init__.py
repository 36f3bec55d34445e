"""What is asked for: cases and profiles, as data."""
