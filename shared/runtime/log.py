"""Structured logs: one JSON object a line, or coloured text for people.

And what the current task works for (request, session, organization, step of a trace): its log lines carry it,
and the events it causes carry the request.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import orjson
import structlog
from pydantic import ValidationError

from shared.errors import AppError
from shared.runtime import tracing

_LONGEST = 300
_CREDENTIALS = re.compile(r"://[^/@\s]+@")

# The session that is worked on and whose it is, as far as known; a plain tuple, since each event makes one.
_Subject: TypeAlias = tuple[str | None, str | None]
_SUBJECT: Final = ("session_id", "organization_id")
_NOTHING: Final = (None, None)

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_subject: ContextVar[_Subject] = ContextVar("subject", default=_NOTHING)


def current_request_id() -> str | None:
    """The id of the request that this task works for, if any."""
    return _request_id.get()


def bind_request_id(request_id: str | None) -> None:
    """Set which request the current task works for; its log lines and events carry the id.

    What `bind_session` said was about another request, and holds no longer.
    """
    _request_id.set(request_id)
    _subject.set(_NOTHING)


def bind_session(session_id: str | None = None, organization_id: str | None = None) -> None:
    """Set which session, and whose, the current task works on, as far as it is known; None leaves what is.

    Its log lines and the current step of its trace carry the ids.
    """
    known = _subject.get()
    _subject.set((session_id or known[0], organization_id or known[1]))
    if tracing.is_on():
        tracing.current().set({f"greenroom.{name}": value for name, value in _known()})


def _known() -> Iterator[tuple[str, str]]:
    """The ids of what is worked on, by their names in log lines."""
    return ((name, value) for name, value in zip(_SUBJECT, _subject.get(), strict=True) if value is not None)


def _add_context(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    request_id = _request_id.get()
    if request_id is not None:
        line.setdefault("request_id", request_id)
    for name, value in _known():
        line.setdefault(name, value)
    ids = tracing.ids()
    if ids is not None:
        line["trace_id"], line["span_id"] = ids
    return line


def configure(*, service: str, level: str, output: Literal["json", "console"]) -> None:
    """Set up structlog and the standard library's logging for this process; lines go to stderr."""

    def add_service(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        line["service"] = service
        return line

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context,
        add_service,
    ]
    renderer: structlog.typing.Processor
    if output == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(
            serializer=lambda line, **_: orjson.dumps(line, default=str).decode()
        )
    else:
        # The prettier traceback shows local variables: bodies with passwords, headers with tokens.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    # Our own lines go straight to the file: by way of the standard library each costs ten times as much.
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("aio_pika", "pymongo", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It logs a traceback for each lost connection, which the bus logs in one line.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)


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
    return without_credentials(str(error))


def without_credentials(text: str) -> str:
    """At most 300 characters of it, on one line, without the credentials of URLs."""
    return _CREDENTIALS.sub("://***@", " ".join(text.split()))[:_LONGEST]


def _problem(location: tuple[int | str, ...], kind: str) -> str:
    return f"{'.'.join(map(str, location)) or 'body'}: {kind}"


@dataclass(frozen=True)
class Command:
    """An operation (`POST /sessions/{id}/end`) and who called it (`user:<id>`, `key:<id>`, or nobody)."""

    operation: str
    actor: str | None


_command: ContextVar[Command | None] = ContextVar("command", default=None)


def current_command() -> Command | None:
    return _command.get()


def bind_command(command: Command | None) -> None:
    """Set what the current task carries out."""
    _command.set(command)
