"""The journal: everything that happened to a session, in order, kept for support."""
