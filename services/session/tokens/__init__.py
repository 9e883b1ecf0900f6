"""Tokens for joining a session's LiveKit room."""
