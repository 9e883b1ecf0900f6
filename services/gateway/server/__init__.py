"""The server and its one handler."""
