"""Streams: the HLS of sessions, from the wish for one to the playlists that people's players read."""
