"""What this service knows of people: a projection of the session service's states."""
