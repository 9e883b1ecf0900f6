"""Killing and freezing the parts of a running stack under load, with an account of what was promised."""
