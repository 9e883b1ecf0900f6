"""Streams: the HLS of sessions, from the request for one to the playlists that players read."""
