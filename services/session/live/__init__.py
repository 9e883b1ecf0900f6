"""Going live, what keeps a session live, and its end."""
