"""The rules of a session. Pure: no I/O."""
