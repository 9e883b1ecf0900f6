"""The names of people and things, which others see: nothing that turns their text round, nothing unseen."""

import json

import pytest
from pydantic import ValidationError

from shared.http import Body
from shared.http.schema import PersonName, Title


class Person(Body):
    name: PersonName


class Show(Body):
    title: Title


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Vera ", "Vera"),
        ("\u202aJohn\u202c", "John"),
        ("\u202egpj.exe", "gpj.exe"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("x" * 50 + "\u2066", "x" * 50),
    ],
)
def test_names_are_kept_without_what_steers_text(sent: str, kept: str) -> None:
    assert Person.model_validate_json(json.dumps({"name": sent}), strict=True).name == kept


@pytest.mark.parametrize("sent", ["", " ", "\u202e", "\u200b", "\u3164", "\ufe0f", "a\nb", "x" * 51, 5, None])
def test_names_that_nobody_can_read_are_refused(sent: object) -> None:
    with pytest.raises(ValidationError):
        Person.model_validate_json(json.dumps({"name": sent}), strict=True)


@pytest.mark.parametrize("sent", ["ab", "\u202eab", " ab ", "\u200b" * 3, "x" * 256])
def test_titles_are_measured_by_what_is_kept(sent: str) -> None:
    with pytest.raises(ValidationError):
        Show.model_validate_json(json.dumps({"title": sent}), strict=True)
