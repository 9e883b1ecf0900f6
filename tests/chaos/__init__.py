"""Kills and freezes parts of a running stack under load, and checks that no acknowledged change is lost."""
