"""Live effect: what people may do in the room follows every change of the session at once."""
