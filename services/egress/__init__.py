"""The egress service: LiveKit's webhooks, ingest, streams and recordings."""
