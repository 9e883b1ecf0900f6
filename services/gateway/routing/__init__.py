"""Which operations exist, who answers them, and how a path leads to one."""
