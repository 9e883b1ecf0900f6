"""The egress service: LiveKit's webhooks, streams, recordings, ingest, and keeping LiveKit in line."""
