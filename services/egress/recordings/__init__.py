"""Recordings: stored files of sessions, by hand or with the stream."""
