"""`greenroom backup` and `greenroom restore`: docs/operations/backup.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.local_stack import running_stack
from deploy.terminal import fail, run_or_fail

if TYPE_CHECKING:
    from deploy.backup.databases import BackedUp

_URI = "mongodb://… of the {} service, with the database's name. By default the running local stack's."
SessionOption = Annotated[
    str | None, typer.Option(envvar="GREENROOM_SESSION_MONGODB_URI", help=_URI.format("session"))
]
EgressOption = Annotated[
    str | None, typer.Option(envvar="GREENROOM_EGRESS_MONGODB_URI", help=_URI.format("egress"))
]
AttendanceOption = Annotated[
    str | None, typer.Option(envvar="GREENROOM_ATTENDANCE_MONGODB_URI", help=_URI.format("attendance"))
]


def backup(
    file: Annotated[Path, typer.Argument(help="Is made; only its owner may read it.")],
    session: SessionOption = None,
    egress: EgressOption = None,
    attendance: AttendanceOption = None,
) -> None:
    """Back up the databases of the session, egress and attendance services into one file.

    Services may run meanwhile. Files (recordings, streams, files of chats) are backed up with the storage,
    the keyring and the other secrets with the settings.
    """
    # Imported late: the services come with it, which the other commands need not wait for.
    from deploy.backup.backup import back_up

    try:
        manifest = run_or_fail(back_up(file, _uris(session, egress, attendance)))
    except OSError as error:
        fail(f"The backup was not written: {error}")
    typer.echo(f"{file}: {sum(part.documents for part in manifest.parts)} documents")


def restore(
    file: Annotated[Path, typer.Argument(help="What `greenroom backup` made.")],
    session: SessionOption = None,
    egress: EgressOption = None,
    attendance: AttendanceOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Delete what is in the databases. It cannot be undone.")
    ] = False,
) -> None:
    """Restore the three databases. Stop all services before; make the indexes (`greenroom indexes`) after.

    The whole file is checked before anything is written. Databases that hold documents are refused.
    """
    from deploy.backup.restore import restore as restore_all
    from shared.runtime import log

    log.configure(service="greenroom", level="WARNING", output="console")
    done = run_or_fail(restore_all(file, _uris(session, egress, attendance), force=force))
    for part in done.manifest.parts:
        typer.echo(f"{part.service}.{part.collection}: {part.documents}")
    caught_up = done.caught_up
    typer.echo(
        f"Published again when the services run: {caught_up.sessions} sessions, {caught_up.streams} streams, "
        f"{caught_up.users} people. Removed: {caught_up.removed} followed sessions without an owner."
    )


def _uris(session: str | None, egress: str | None, attendance: str | None) -> dict[BackedUp, str]:
    from deploy.backup.databases import BackedUp

    given = dict(zip(BackedUp, (session, egress, attendance), strict=True))
    if all(given.values()):
        return {service: uri for service, uri in given.items() if uri}
    if any(given.values()):
        fail("Name all three databases: --session, --egress and --attendance.")
    stack = running_stack()
    if stack is None:
        fail("No databases are known: name them with --session, --egress and --attendance.")
    return {service: getattr(stack.mongodb, service.value) for service in BackedUp}
