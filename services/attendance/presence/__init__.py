"""Presence: one interval a connection, from joining to leaving."""
