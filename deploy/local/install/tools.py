"""`python3 -m deploy.local.install.tools`: what some tests need and the stack does not.

Exit status 0 in any case: the tests of what cannot be installed here are skipped, and this says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deploy.local.install import containers
from deploy.local.install.packages import InstallFailed, say

# The step, and what is not tested without it.
TOOLS: Final[tuple[tuple[Callable[[], None], str], ...]] = (
    (containers.install, "the container images, and of compose,"),
)


def main() -> None:
    for install, tested in TOOLS:
        try:
            install()
        except InstallFailed as failed:
            say(f"{failed}\nTests of {tested} are skipped.")


if __name__ == "__main__":
    main()
