"""Base classes of request and response bodies, and the field types they share."""

import unicodedata
from collections.abc import Set
from datetime import datetime
from typing import Annotated, Any, Self, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.clock import milliseconds
from shared.ids import is_id
from shared.text import can_be_seen, strip_bidi

PAGE_LIMIT = 100
CURSOR_PAGE_LIMIT = 1000
# Deeper pages are refused: clients that read that far should filter.
LAST_PAGE = 100_000
# Far from the limits of datetime, so that zones and durations can be added.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


class Body(BaseModel):
    """A JSON request body: types are not coerced, unknown fields are ignored.

    In a PATCH, `model_fields_set` tells absent (keep) from null (clear).
    """

    model_config = ConfigDict(extra="ignore", frozen=True)


class Query(BaseModel):
    """Query parameters; text is read as the declared type. Those of a list are repeated."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def lists(cls) -> Set[str]:
        """The names of the parameters that are lists, or lists or null."""
        return {name for name, field in cls.model_fields.items() if _is_list(field.annotation)}


def _is_list(annotation: Any) -> bool:
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))


class Page(Query):
    """The page of a list: `page` from 1, `limit` of 1 to 100 items."""

    page: Annotated[int, Field(ge=1, le=LAST_PAGE)] = 1
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 10

    @property
    def skip(self) -> int:
        return (self.page - 1) * self.limit


class Data(BaseModel):
    """The `data` of an answer: every field is always there, null when empty."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    @classmethod
    def of(cls, source: object, **given: object) -> Self:
        """With the fields that are `given`; each of the others is the attribute of `source` by its name."""
        fields = {name: getattr(source, name) for name in cls.model_fields if name not in given}
        return cls.model_validate(fields | given, from_attributes=True)


class BareData(BaseModel):
    """The body of a bare answer: a field that is null is not there."""

    model_config = ConfigDict(frozen=True)


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text):
        raise ValueError("must not contain control characters")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be a single line")
    return _printable(text)


def _label(text: str) -> str:
    if not can_be_seen(text):
        raise ValueError("must have something visible")
    return _one_line(text)


def _strip_bidi(sent: object) -> object:
    return strip_bidi(sent) if isinstance(sent, str) else sent


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("must carry a time zone, for example 2030-01-31T20:00:00Z")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"must be in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return milliseconds(moment)


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("must be a UUID")
    return text.lower()


Id = Annotated[str, AfterValidator(_id), Field(json_schema_extra={"format": "uuid"})]
Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_one_line)]
Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_printable)]
# Names, which are shown to others.
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=255),
    AfterValidator(_label),
    BeforeValidator(_strip_bidi),
]
_Shown = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    AfterValidator(_label),
    BeforeValidator(_strip_bidi),
]
PersonName = Annotated[_Shown, Field(max_length=50)]
# As customers call their people.
CustomersName = Annotated[_Shown, Field(max_length=100)]
Moment = Annotated[datetime, AfterValidator(_utc)]


class CursorPage(Query):
    """The page of a list behind `cursor`: the `next_cursor` of the page before, none for the first."""

    limit: Annotated[int, Field(ge=1, le=CURSOR_PAGE_LIMIT)] = 50
    cursor: Id | None = None
