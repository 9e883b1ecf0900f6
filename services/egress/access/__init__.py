"""Who may act on the streams and recordings of a session."""
