"""Bodies and queries as models, with SignalWire's codes for what is wrong with them."""

from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.gateway.compat.operations import ForeignRequest
from shared.errors import FieldError, InvalidRequest
from shared.http import Body, Query

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)

# Kind of a validation error -> code and message; None leaves the validator's own message.
_CODES: Final[Mapping[str, tuple[str, str | None]]] = {
    "missing": ("missing_required_parameter", "can't be blank"),
    "string_too_short": ("missing_required_parameter", "can't be blank"),
    "string_type": ("not_a_string", "must be a string"),
    "string_pattern_mismatch": ("not_alphanumeric", "may have letters, digits, - and _ only"),
    "bool_type": ("not_a_boolean", "must be true or false"),
    "bool_parsing": ("not_a_boolean", "must be true or false"),
    "dict_type": ("not_a_hash", "must be an object"),
    "model_type": ("not_a_hash", "must be an object"),
    "json_invalid": ("not_a_valid_json", "is not valid JSON"),
    "json_type": ("not_a_valid_json", "is not valid JSON"),
    "list_type": ("invalid_list_items", "must be a list"),
    "literal_error": ("unsupported_option", None),
    "enum": ("unsupported_option", None),
    "value_error": ("invalid_parameter", None),
    "int_type": ("invalid_parameter", "is not a number"),
    "int_parsing": ("invalid_parameter", "is not a number"),
    "int_from_float": ("invalid_parameter", "must be an integer"),
}
_MOMENTS: Final = ("datetime_", "date_", "timezone_", "time_")
_OWN: Final = "signalwire."


def own_error(code: str) -> str:
    """The kind of a `PydanticCustomError` that is answered with this code of SignalWire's."""
    return _OWN + code


def read_body(request: ForeignRequest, model: type[B]) -> B:
    """The JSON body, an empty one as {}; raises `InvalidRequest`."""
    try:
        return model.model_validate_json(request.body or b"{}", strict=True)
    except ValidationError as error:
        raise InvalidRequest(_entries(error)) from None


def read_query(request: ForeignRequest, model: type[Q]) -> Q:
    """Raises `InvalidRequest`."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise InvalidRequest(_entries(error)) from None


def _entries(error: ValidationError) -> list[FieldError]:
    """One for each attribute: of several complaints about the same, the first."""
    found: dict[str, FieldError] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        attribute = str(problem["loc"][0]) if problem["loc"] else ""
        found.setdefault(attribute, FieldError(attribute, *_complaint(problem)))
    return list(found.values())


def _complaint(problem: ErrorDetails) -> tuple[str, str]:
    """Code and message."""
    kind, message = problem["type"], problem["msg"].removeprefix("Value error, ")
    if kind.startswith(_OWN):
        return kind.removeprefix(_OWN), message
    if kind.startswith(_MOMENTS):
        return "not_a_datetime", "must be a date and time of ISO 8601"
    if len(problem["loc"]) > 1 and isinstance(problem["loc"][1], int):
        return "list_contains_invalid_entries", "has entries that are not known"
    code, plain = _CODES.get(kind, ("invalid_parameter", None))
    return code, plain or message
