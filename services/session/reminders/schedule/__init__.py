"""Which reminders are due for each session, and when."""
