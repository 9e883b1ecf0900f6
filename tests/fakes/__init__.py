"""Fakes that behave like the real parts; used by tests only."""
