"""Reminders: mails to the subscribers of a room about its sessions.

`schedule` keeps what is due for each session and when, `mails` has the mail for each recipient, each once;
the scheduler, one among all replicas, turns the one into the other and sends.
"""
