"""Two installations timed side by side, live."""
