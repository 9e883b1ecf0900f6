"""Errors in one line for headers and logs, without the values that may be secret."""

import re
import traceback

from pydantic import ValidationError

from shared.errors import AppError

_LONGEST = 300
_CREDENTIALS = re.compile(r"://[^/@\s]+@")


def describe(error: BaseException) -> str:
    """The class and message of `error`: no input values, no credentials of URLs, at most 300 characters."""
    return f"{type(error).__name__}: {_message(error)}"[:_LONGEST]


def trace(error: BaseException, depth: int = 6) -> list[str]:
    """Where it was raised, innermost frame last: a traceback without the message and the values."""
    frames = traceback.extract_tb(error.__traceback__)[-depth:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _message(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            _problem(detail["loc"], detail["type"]) for detail in error.errors(include_input=False)
        )
    if isinstance(error, AppError):
        return error.message
    return _CREDENTIALS.sub("://***@", " ".join(str(error).split()))


def _problem(location: tuple[int | str, ...], kind: str) -> str:
    return f"{'.'.join(map(str, location)) or 'body'}: {kind}"
