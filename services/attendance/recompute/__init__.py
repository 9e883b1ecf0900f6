"""Recomputing attendance and viewer counts wherever presence or sessions changed."""
