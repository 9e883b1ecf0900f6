"""The reconciler: compares LiveKit's rooms and participants with what is expected, and corrects drift."""
