"""Ingest: the RTMP address of each owner in a session, made on request, deleted when the session is over."""
