"""Notices: messages to everybody in a room, over their LiveKit connections."""
