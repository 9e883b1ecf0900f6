"""Drift: differences between what is expected and what LiveKit shows, and the ledger of those corrected."""
