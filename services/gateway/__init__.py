"""The gateway: the one door to the API. It keeps nothing that lasts."""
