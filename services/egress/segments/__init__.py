"""The segments of streams: recorders write their records, playlists are built from them."""
