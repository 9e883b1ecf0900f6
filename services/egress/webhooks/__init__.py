"""The door through which LiveKit's webhooks come in and leave as our events."""
