"""The one-command stack: every part of Greenroom as private processes on this machine.

Reading order: `run` (what `greenroom up` does), `components` (the table of processes), `supervisor` and
`keeper` (who starts, watches and stops them), `provision` (the first organization, host and key) and
`stack` (the file that tells others where everything is).
"""
