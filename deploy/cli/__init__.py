"""The `greenroom` command: one file for each group of commands, all of them named here."""

from __future__ import annotations

import typer

from deploy.cli import admin, dead_letters, demo, doctor, documents, indexes, keys, status, up

HELP = "Greenroom: live video sessions around LiveKit. Start with `greenroom up`."


def build() -> typer.Typer:
    """The command line's table of contents."""
    app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.command("up")(up.up)
    app.command("demo")(demo.demo)
    app.command("down")(up.down)
    app.command("recorder")(up.recorder)
    app.command("status")(status.status)
    app.command("doctor")(doctor.doctor)
    app.command("indexes")(indexes.indexes)
    app.command("openapi")(documents.openapi)
    app.add_typer(admin.app, name="admin")
    app.add_typer(dead_letters.events, name="events")
    app.add_typer(keys.app, name="keys")
    return app


def main() -> None:
    """The entry point of the `greenroom` script."""
    build()()
