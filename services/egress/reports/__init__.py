"""Reports in LiveKit's own words: signed webhooks of our own parts, to the same door as LiveKit's."""
