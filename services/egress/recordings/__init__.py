"""Recordings: stored files of sessions, started by hand or with the stream."""
