"""The connections we believe in, from LiveKit's webhooks."""
