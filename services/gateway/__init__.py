"""The gateway: the only public HTTP server. It stores nothing permanently."""
