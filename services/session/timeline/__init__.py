"""What happened to a session, for support: its timeline, and why it ended, failed or has not started."""
