"""Video and audio: what participants send, laid out, mixed, encoded once and cut into segments."""
