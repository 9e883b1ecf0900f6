"""The session service: people, keys, libraries, rooms, presets and sessions."""
