"""`greenroom events`: looking after what the bus could not deliver."""

from __future__ import annotations

import typer

from deploy.cli.events import dead_letters

app = typer.Typer(help="Events between the services.", no_args_is_help=True)
app.add_typer(dead_letters.app, name="dead-letters")
