"""`greenroom keys`: replacing an installation's own keys, as docs/operations/security.md says."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Annotated

import typer

from deploy.env_file import addresses, filled, replace_file, values_of
from deploy.keys import new_key_id, new_sealing_key, new_signing_key
from deploy.terminal import fail, run_or_fail
from shared.clock import SystemClock

app = typer.Typer(help="Make and replace the installation's own keys.", no_args_is_help=True)


@app.command("signing")
def signing() -> None:
    """Make a key that signs access tokens. Nothing is stored: keep what it prints."""
    key = new_signing_key(new_key_id(SystemClock().now()))
    typer.echo("# Publish this to every service first, beside the keys they have:")
    typer.echo(f"GREENROOM_IDENTITY_PUBLIC_KEYS={json.dumps({key.kid: key.public_key})}")
    typer.echo("# When every service runs with it, give these to the session service alone; remove the old")
    typer.echo("# public key a day later:")
    typer.echo(f"GREENROOM_IDENTITY_SIGNING_KID={key.kid}")
    typer.echo(f"GREENROOM_IDENTITY_PRIVATE_KEY={key.private_key}")


@app.command("sealing")
def sealing() -> None:
    """Make a key that encrypts the secrets of API keys. Nothing is stored: keep what it prints."""
    keyring = {new_key_id(SystemClock().now()): new_sealing_key()}
    typer.echo(
        "# Add this to the session service's keyring. The last key there encrypts: give every replica the"
    )
    typer.echo("# new one as the first before you make it the last.")
    typer.echo(f"GREENROOM_KEYRING={json.dumps(keyring)}")


@app.command("env")
def env(
    host: Annotated[
        str | None, typer.Option(help="The name or IP address by which clients reach the machine.")
    ] = None,
    ip: Annotated[
        str | None, typer.Option(help="The IP address for media. By default the one that the name has.")
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Clients use HTTPS, through the proxy of the profile tls.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Write to this file, and keep its values, without its comments, instead of printing."
        ),
    ] = None,
) -> None:
    """Make the settings of deploy/compose.yaml, with new secrets: docs/operations/compose.md."""
    given = values_of(file.read_text()) if file and file.exists() else {}
    if host:
        given |= addresses(host, ip or _ip_of(host), tls=tls)
    text = filled(given, SystemClock().now())
    if file is None:
        typer.echo(text, nl=False)
        return
    replace_file(file, text)
    typer.echo(f"{file} is complete; the first administrator's password is in ADMIN_PASSWORD.")


def _ip_of(host: str) -> str:
    try:
        return socket.gethostbyname(host)
    except OSError:
        fail(f"{host} has no IP address that is known here: say it with --ip.")


@app.command("reseal")
def reseal() -> None:
    """Encrypt every API key's secret with the newest key, with the session service's own settings.

    Services may run meanwhile. Afterwards the older keys can be taken out of the keyring.
    """
    # Imported late: the session service comes with it, which the other commands need not wait for.
    from deploy.session_database import reseal_all

    try:
        done = run_or_fail(reseal_all())
    except LookupError as error:
        fail(f"The keyring has no key {error}; add it again and repeat this.")
    typer.echo(f"{done.changed} of {done.keys} API keys were encrypted with an older key, and no longer are.")
