"""What hosts prepare: libraries, rooms and presets."""
