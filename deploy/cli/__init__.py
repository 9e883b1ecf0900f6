"""The `greenroom` command: one file for each group of commands, all of them named here.

A command's module is imported when that command is asked for: health checks run one every few seconds.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from deploy.cli import local_stack

HELP = "Greenroom: live video sessions around LiveKit."
START = "Start with `greenroom up`."

# Each command with its module and its name there; one that is a Typer has commands of its own.
OF_THE_LOCAL_STACK = {
    "up": "up:up",
    "demo": "demo:demo",
    "down": "up:down",
    "status": "status:status",
    "doctor": "doctor:doctor",
    "openapi": "documents:openapi",
}
COMMANDS = {
    "serve": "serve:serve",
    "healthcheck": "healthcheck:healthcheck",
    "indexes": "indexes:indexes",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "admin": "admin:app",
    "events": "dead_letters:events",
    "keys": "keys:app",
    "session": "session:app",
}


def build(only: str | None = None) -> typer.Typer:
    """The command line, with all its commands or with one of them."""
    local = local_stack.is_installed()
    text = f"{HELP} {START}" if local else HELP
    app = typer.Typer(help=text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(lambda: None)  # one command alone is still called by its name
    for name, place in ((OF_THE_LOCAL_STACK if local else {}) | COMMANDS).items():
        if only in (None, name):
            module, _, attribute = place.partition(":")
            _add(app, name, getattr(import_module(f"deploy.cli.{module}"), attribute))
    return app


def _add(app: typer.Typer, name: str, command: object) -> None:
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    elif callable(command):
        app.command(name)(command)


def main() -> None:
    """The entry point of the `greenroom` script."""
    asked = sys.argv[1] if len(sys.argv) > 1 else None
    build(asked if asked in OF_THE_LOCAL_STACK | COMMANDS else None)()
