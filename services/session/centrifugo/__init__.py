"""Centrifugo's proxies: who may connect to it, and who may hear which channel."""
