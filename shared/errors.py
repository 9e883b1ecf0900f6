"""Refusals: every one carries a stable code and the HTTP status it is answered with.

Anything raised that is not an `AppError` is a bug and is answered with a bare 500.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class FieldError:
    """One bad field of a body or query: dotted path, stable code, sentence for people."""

    field: str
    code: str
    message: str


class AppError(Exception):
    """A refusal. `code` is stable and part of the API; `message` is for people and names no secret."""

    status: int = 500
    code: str = "internal"

    def __init__(self, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})
        if code is not None:
            self.code = code


class InvalidRequest(AppError):
    """422: a body or query with one `FieldError` per bad field."""

    status = 422
    code = "validation_failed"

    def __init__(self, errors: Sequence[FieldError], message: str = "The request has invalid fields"):
        super().__init__(message)
        self.errors = tuple(errors)


class Unauthenticated(AppError):
    status = 401
    code = "unauthenticated"

    def __init__(self, message: str = "Sign in first", *, code: str | None = None):
        super().__init__(message, code=code, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(AppError):
    status = 403
    code = "forbidden"


class NotFound(AppError):
    """404: it does not exist, or belongs to another organization, which nobody is to tell apart."""

    status = 404
    code = "not_found"

    @classmethod
    def of(cls, noun: str) -> Self:
        """For one of our nouns, such as `stage_request`; the words name no id."""
        return cls(f"There is no such {noun.replace('_', ' ')}", code=f"{noun}_not_found")


class MethodNotAllowed(AppError):
    status = 405
    code = "method_not_allowed"


class Conflict(AppError):
    """409: the resource's state does not allow the call."""

    status = 409
    code = "conflict"


class TooLarge(AppError):
    status = 413
    code = "body_too_large"


class UnsupportedMediaType(AppError):
    status = 415
    code = "unsupported_media_type"


class TooManyRequests(AppError):
    status = 429
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int):
        super().__init__(message, headers={"Retry-After": str(max(1, retry_after))})


class BadGateway(AppError):
    status = 502
    code = "bad_gateway"


class Unavailable(AppError):
    """503: a dependency is unavailable. Consumers retry these without limit."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, code: str | None = None, retry_after: int = 1):
        super().__init__(message, code=code, headers={"Retry-After": str(retry_after)})


class DeadlineExceeded(Unavailable):
    """504: a service behind the gateway did not answer in time."""

    status = 504
    code = "deadline_exceeded"
