"""`greenroom keys`: replacing an installation's own keys. docs/credentials.md says when to do what."""

from __future__ import annotations

import json

import typer

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
    typer.echo("# An access token's lifetime (15 minutes) later, give these to the session service alone:")
    typer.echo(f"GREENROOM_IDENTITY_SIGNING_KID={key.kid}")
    typer.echo(f"GREENROOM_IDENTITY_PRIVATE_KEY={key.private_key}")


@app.command("sealing")
def sealing() -> None:
    """Make a key that seals the secrets of API keys. Nothing is stored: keep what it prints."""
    keyring = {new_key_id(SystemClock().now()): new_sealing_key()}
    typer.echo(
        "# Add this to the session service's keyring. The last key there seals: give every replica the"
    )
    typer.echo("# new one as the first before you make it the last.")
    typer.echo(f"GREENROOM_KEYRING={json.dumps(keyring)}")


@app.command("reseal")
def reseal() -> None:
    """Seal every API key's secret under the newest key, with the session service's own settings.

    Services may run meanwhile. Afterwards the older keys can be taken out of the keyring.
    """
    # Imported late: the session service comes with it, which the other commands need not wait for.
    from deploy.session_database import reseal_all

    try:
        done = run_or_fail(reseal_all())
    except LookupError as error:
        fail(f"The keyring has no key {error}; add it again and repeat this.")
    typer.echo(f"{done.changed} of {done.keys} API keys were sealed under an older key, and no longer are.")
