"""Values made readable: tables for a terminal."""
