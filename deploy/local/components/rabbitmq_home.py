"""RabbitMQ's installation without the plugins that we do not use.

At every boot the node reads all it finds there, enabled or not: measured, 7.5 s with them and 4 s without.
"""

from __future__ import annotations

import shutil
from pathlib import Path

OPTIONAL, CORE = "rabbitmq_", "rabbitmq_prelaunch"


def lean_server(script: Path, home: Path) -> Path:
    """The server script to run: in a copy under `home`, or the given one where its plugins are elsewhere.

    The scripts are copied, since they look for everything beside themselves; the libraries are linked.
    """
    installed = script.resolve().parents[1]
    if not (installed / "plugins").is_dir():
        return script
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(installed / "sbin", home / "sbin")
    if (installed / "escript").is_dir():
        (home / "escript").symlink_to(installed / "escript")
    (home / "plugins").mkdir()
    for library in (installed / "plugins").iterdir():
        if not library.name.startswith(OPTIONAL) or library.name.startswith(CORE):
            (home / "plugins" / library.name).symlink_to(library)
    return home / "sbin" / "rabbitmq-server"
