"""Public reads, kept for a second."""
