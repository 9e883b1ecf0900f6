"""Who watched which session, from when to when, and how many at once."""
