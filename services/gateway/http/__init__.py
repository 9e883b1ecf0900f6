"""Requests and answers as HTTP: the client, headers, bodies and what is known of a request."""
