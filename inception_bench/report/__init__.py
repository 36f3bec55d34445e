"""Records to boards, and boards to files and text."""
