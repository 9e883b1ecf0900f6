"""Audience: how many people watch a session, recomputed wherever presence changed."""
