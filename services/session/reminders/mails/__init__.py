"""Mails: what is to be sent to whom, each once."""
