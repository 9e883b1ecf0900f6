"""Libraries: where an organization keeps its rooms, presets and sessions."""
