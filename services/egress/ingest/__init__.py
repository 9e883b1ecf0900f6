"""Ingest: the one RTMP address of a session, made on request and deleted when the session is over."""
