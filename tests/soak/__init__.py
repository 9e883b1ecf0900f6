"""A long run at half load: whether what a process holds grows."""
