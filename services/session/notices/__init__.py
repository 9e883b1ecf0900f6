"""Notices: what everybody in a room is told at once, over the connection they have to LiveKit."""
