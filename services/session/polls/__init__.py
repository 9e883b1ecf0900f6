"""Polls: questions to a session's people, and their votes."""
