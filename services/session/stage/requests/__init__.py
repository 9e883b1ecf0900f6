"""Asking for a place on stage: raised hands and join requests, and how they are answered."""
