"""Mails: which mail goes to whom, each once."""
