"""The people in a session's room now, as LiveKit has them: shown, changed, removed and written to."""
