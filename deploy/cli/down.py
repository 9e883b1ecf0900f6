"""`greenroom down`: stop the stack."""

from __future__ import annotations

import typer

from deploy.cli.options import DEFAULT_DATA_DIR, DataDirOption
from deploy.local.control import stop
from deploy.local.data_dir import DataDir


def down(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Stop the stack and wait until it is gone. Its data stays. Exit status 0, also when nothing ran."""
    data = DataDir.at(data_dir)
    pid = stop(data)
    typer.echo(f"Nothing runs on {data.root}." if pid is None else f"Stopped Greenroom on {data.root}.")
