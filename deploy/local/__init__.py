"""The one-command stack: every part of Greenroom as private processes on this machine.

Reading order: `plan` (everything decided before the first process), `components` (the table of processes),
`supervisor` (who starts, provisions, watches and stops them) and `stack` (the files that say where everything
is). `control` and `status` are for other processes; `install` is `make install`.
"""


class StackError(Exception):
    """The stack cannot run; the message says why, and what to do."""
