"""Signing in: passwords, devices, auth codes, and the refresh tokens that keep people in."""
