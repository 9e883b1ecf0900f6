"""Errors that only the gateway raises."""

from shared.errors import AppError


class BadRequest(AppError):
    status = 400
    code = "bad_request"


class RequestTimeout(AppError):
    """408: the client did not send its body in time."""

    status = 408
    code = "request_timeout"


class HeadTooLarge(AppError):
    """431: the request line, a header, or all headers together are too long."""

    status = 431
    code = "head_too_large"


class ClientGone(AppError):
    """499, for log and metrics: the client closed the connection before it was answered."""

    status = 499
    code = "client_gone"
