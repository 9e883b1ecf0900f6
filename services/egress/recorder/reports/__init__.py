"""What a recorder reports, in LiveKit Egress's own words: signed webhooks to the same door."""
