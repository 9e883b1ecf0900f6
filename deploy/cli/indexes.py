"""`greenroom indexes`: what a release needs in a service's database, made before the service is started."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from deploy.terminal import fail, run_or_fail


def indexes(
    service: Annotated[Literal["session", "egress", "attendance"], typer.Argument(help="Whose database.")],
    wait: Annotated[
        float, typer.Option("--wait", help="How long it may take, waiting for the database included.", min=1)
    ] = 300.0,
) -> None:
    """Make the indexes that a service makes at its start, with that service's own settings.

    For a job before an upgrade: large indexes are there before the first replica needs them. Replicas of this
    release and the last may run meanwhile. Safe to repeat; exit status 1 if it is to be repeated or mended.
    """
    # Imported late: a service comes with it, which the other commands need not wait for.
    from deploy.service_databases import DataService, make_indexes
    from shared.persistence.mongo import Duplicate
    from shared.runtime import log

    log.configure(service="greenroom", level="WARNING", output="console")
    try:
        made = run_or_fail(make_indexes(DataService(service), wait))
    except Duplicate as error:
        fail(f"What the database of {service} holds breaks a unique index: {error}")
    for name in made:
        typer.echo(name)
    typer.echo(f"{service}: {len(made)} indexes made." if made else f"{service}: every index is there.")
