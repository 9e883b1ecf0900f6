"""Drift: the ledger of what differed and was repaired."""
