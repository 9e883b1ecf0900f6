"""Enforcement: permissions in the room follow every change of the session immediately."""
