"""How a demo fails."""

from __future__ import annotations

from collections.abc import Sequence


class DemoFailed(Exception):
    """Something did not happen as it should; the message says what, for people."""


class CallFailed(DemoFailed):
    """A call of the API was refused, or not answered: which call, with what status, code and request id."""

    def __init__(
        self,
        call: str,
        *,
        status: int | None = None,
        code: str = "",
        message: str = "",
        errors: Sequence[str] = (),
        request_id: str = "",
    ) -> None:
        parts = [f"{call} failed"]
        parts += [f"with {status} {code}".rstrip()] if status is not None else []
        text = f"{' '.join(parts)}: {message or 'no reason given'}"
        text += "".join(f"\n  {error}" for error in errors)
        super().__init__(text + (f"\n  request id: {request_id}" if request_id else ""))
        self.status = status
        self.code = code
        self.request_id = request_id
