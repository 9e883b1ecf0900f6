"""Co-hosts and moderators: who has which role in a session, and who had one."""
