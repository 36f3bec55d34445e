"""Training: recipes as data, one step, the loop around it, what it leaves behind."""
