"""`make install`: finds or installs what the stack needs.

Standard library only: it runs before there is an environment.
"""
