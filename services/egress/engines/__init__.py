"""What makes streams and recordings of a room: LiveKit Egress, or the recorder that comes with Greenroom."""
