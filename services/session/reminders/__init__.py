"""Reminders: mails to the subscribers of a room about its sessions.

`agendas` keeps what is to be told of each session and when, `mails` what is to be sent to whom, each once;
the scheduler, one among all replicas, turns the one into the other and sends.
"""
