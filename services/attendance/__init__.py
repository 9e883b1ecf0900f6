"""Who watched which session, from when to when, and how many concurrently."""
