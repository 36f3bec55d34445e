"""What a suite's test gets to drive: cells, factorisations, claims, comparisons."""
