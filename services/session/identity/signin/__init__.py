"""Signing in: passwords, devices, auth codes and refresh tokens."""
