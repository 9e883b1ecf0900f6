"""LiveKit's webhooks, received once and published as our events."""
