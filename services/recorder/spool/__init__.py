"""Segments on the recorder's own disk, until storage and database have them."""
