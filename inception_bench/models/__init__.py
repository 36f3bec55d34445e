"""Networks as tables, their arithmetic, and one builder that turns a table into a torch module."""
