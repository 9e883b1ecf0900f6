"""Bans: who may no longer join a session."""
