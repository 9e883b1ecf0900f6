"""Planned egresses: what should run, what the engine says of it, and the worker that makes them agree."""
