"""Other vendors' APIs, answered by the gateway out of the services' own operations."""
