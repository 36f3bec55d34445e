"""Is it a regression? Stored runs compared, two installations timed side by side, and how sure that is."""
