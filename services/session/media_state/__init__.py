"""Whether a host's camera and microphone are on: published to everybody in the room."""
