"""Bans: who may not come into a session any more."""
