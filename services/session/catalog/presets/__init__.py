"""Presets: looks, limits and permissions that a session starts from."""
