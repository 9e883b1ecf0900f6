"""Room codes: what people type to get into a room, one for each role."""
