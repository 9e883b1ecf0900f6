"""Rooms: where a host holds sessions."""
