"""How a claim is decided: one object a method, and the one place that chooses among them."""
