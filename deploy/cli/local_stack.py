"""The stack of `greenroom up`, which commands use by default if it runs; images come without it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.local.stack import Stack


def is_installed() -> bool:
    return find_spec("deploy.local") is not None


def running_stack() -> Stack | None:
    """The ready stack in GREENROOM_DATA_DIR, by default .local, if there is one."""
    if not is_installed():
        return None
    from deploy.local.stack import stack_from_environment

    return stack_from_environment()
