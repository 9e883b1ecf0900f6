"""API keys: an id and a secret that act for the host who owns them."""
