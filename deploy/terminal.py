"""What commands have in common: options, and how they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

T = TypeVar("T")


def fail(message: str) -> NoReturn:
    """End the command with this message and exit status 1."""
    typer.secho(message, err=True, fg=typer.colors.RED)
    raise typer.Exit(1)


def run_or_fail(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work; an error that services raise, or bad settings, end the command."""
    # Imported late: other commands need not wait for it.
    from shared.errors import AppError
    from shared.runtime.settings import SettingsRefused

    try:
        return asyncio.run(work)
    except AppError as error:
        fail(error.message)
    except SettingsRefused as error:
        fail(str(error))
