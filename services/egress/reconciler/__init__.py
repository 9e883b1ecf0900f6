"""The reconciler: compares what LiveKit says of rooms and people with what we believe, and repairs."""
