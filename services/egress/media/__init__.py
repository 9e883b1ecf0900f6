"""Egresses, streams and recordings of sessions, put together."""
