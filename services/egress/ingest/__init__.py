"""Ingest: the one RTMP door of a session, made on request and taken away when the session is over."""
