"""Bodies and queries as models."""

from typing import Final, TypeVar

from pydantic import ValidationError

from services.gateway.compat.hundred_ms.errors import BODY, QUERY
from services.gateway.compat.operations import ForeignRequest
from shared.errors import FieldError, InvalidRequest
from shared.http import Body, Query

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)

# The published client sends the second for a parameter that it was not given.
_UNSET: Final = frozenset({"", "undefined"})
_OWN_WORDS: Final = "Value error, "


def read_body(request: ForeignRequest, model: type[B]) -> B:
    """The JSON body, an empty one as {}; raises `InvalidRequest`."""
    try:
        return model.model_validate_json(request.body or b"{}", strict=True)
    except ValidationError as error:
        raise _refusal(error, BODY) from None


def read_query(request: ForeignRequest, model: type[Q]) -> Q:
    """Of a repeated parameter the first value, for a list all of them; raises `InvalidRequest`."""
    lists, sent = model.lists(), {}
    for name in request.query:
        values = [value for value in request.query.getall(name) if value not in _UNSET]
        if values:
            sent[name] = values if name in lists else values[0]
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise _refusal(error, QUERY) from None


def _refusal(error: ValidationError, message: str) -> InvalidRequest:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    entries = [
        FieldError(".".join(map(str, one["loc"])), one["type"], one["msg"].removeprefix(_OWN_WORDS))
        for one in problems
    ]
    return InvalidRequest(entries, message)
