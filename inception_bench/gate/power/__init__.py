"""The proof that the gate finds what it must and raises no false alarm."""
