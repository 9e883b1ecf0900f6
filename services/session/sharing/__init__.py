"""Sharing: the addresses under which a session is watched, hosted and embedded."""
