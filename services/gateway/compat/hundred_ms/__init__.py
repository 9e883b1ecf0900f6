"""100ms's server API at /v2."""
