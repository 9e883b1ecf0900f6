"""Starting a session, keeping it live, and ending it."""
