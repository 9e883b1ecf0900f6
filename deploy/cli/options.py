"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATA_DIR = Path(".local")

DataDirOption = Annotated[
    Path,
    typer.Option("--data-dir", help="Where the stack keeps its data, logs and secrets.", metavar="DIR"),
]
