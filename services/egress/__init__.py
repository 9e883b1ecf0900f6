"""The egress service: LiveKit's webhooks come in here, ingest is made here."""
