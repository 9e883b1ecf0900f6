"""Receives LiveKit's webhooks and publishes them as our events."""
