"""The forms in which credentials come."""

import base64

import pytest

from services.gateway.credentials import ApiKey, read_credentials
from shared.errors import Unauthenticated

_ID = "0190b5b0-7c5c-7000-8000-000000000001"


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_nobody() -> None:
    assert read_credentials({}) is None


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_bearer(value: str) -> None:
    assert read_credentials({"Authorization": value}) == "abc"


def test_both_forms_of_an_api_key_are_the_same_key() -> None:
    key = ApiKey(_ID, "s.e:c")
    assert read_credentials({"X-API-Key": f"{_ID.upper()}.s.e:c"}) == key
    assert read_credentials({"Authorization": _basic(f"{_ID}:s.e:c")}) == key


def test_authorization_wins_over_an_api_key() -> None:
    assert read_credentials({"Authorization": "Bearer abc", "X-API-Key": f"{_ID}.s"}) == "abc"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Digest x",
        "Basic",
        "Basic !!",
        "Basic 4pwT",
        "Basic \udcff",
        "Basic é",
        "abc",
    ],
)
def test_other_authorization_is_refused(value: str) -> None:
    with pytest.raises(Unauthenticated):
        read_credentials({"Authorization": value})


@pytest.mark.parametrize("value", ["", _ID, f"{_ID}.", f"{_ID}.\udcff", "not-an-id.secret", ".secret"])
def test_malformed_keys_are_refused(value: str) -> None:
    with pytest.raises(Unauthenticated):
        read_credentials({"X-API-Key": value})


def test_the_digest_tells_keys_apart_and_hides_the_secret() -> None:
    assert ApiKey(_ID, "a").digest != ApiKey(_ID, "b").digest
    assert b"sesame" not in ApiKey(_ID, "sesame").digest
