"""SignalWire's Video API at /api/video."""
