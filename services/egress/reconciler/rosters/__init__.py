"""Rosters: who was seen in a session's room when LiveKit was last asked."""
