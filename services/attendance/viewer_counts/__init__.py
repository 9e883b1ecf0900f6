"""How many people watch a session, and the most there were at once."""
