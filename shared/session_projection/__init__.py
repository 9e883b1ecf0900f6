"""What a service knows of sessions: a projection of the session service's states."""
