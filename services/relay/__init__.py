"""The relay: passes what encoders send to the private RTMP server on into LiveKit rooms."""
