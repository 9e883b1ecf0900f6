"""The forms in which credentials come."""

import base64

import jwt
import pytest

from services.gateway.identity.credentials import (
    ApiKeyCredential,
    ManagementTokenCredential,
    read_credentials,
)
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
    key = ApiKeyCredential(_ID, "s.e:c")
    assert read_credentials({"X-API-Key": f"{_ID.upper()}.s.e:c"}) == key
    assert read_credentials({"Authorization": _basic(f"{_ID}:s.e:c")}) == key


def management(algorithm: str = "HS256", **changed: object) -> str:
    claims = {"access_key": _ID, "type": "management", "exp": 1_900_000_000} | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, "" if algorithm == "none" else "s" * 64, algorithm)


def test_a_token_that_a_key_s_secret_may_have_signed_is_for_the_session_service() -> None:
    token = management()
    shown = read_credentials({"Authorization": f"Bearer {token}"})
    assert shown == ManagementTokenCredential(token, 1_900_000_000)
    assert token not in repr(shown)
    assert isinstance(shown, ManagementTokenCredential)
    assert shown.digest != ManagementTokenCredential(token[:-1], 1_900_000_000).digest


@pytest.mark.parametrize(
    "token",
    [
        management("none"),
        management("HS512"),
        management(access_key=None),
        management(exp=None),
        management(exp="soon"),
        management()[:-1] + "é",
        management() + ".x",
        "e30.e30.x",
        "W10.W10.x",
        "..",
        ".",
        "a.b.c",
        "\udcff.b.c",
    ],
)
def test_all_else_is_held_to_be_a_token_of_ours(token: str) -> None:
    assert read_credentials({"Authorization": f"Bearer {token}"}) == token


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
    assert ApiKeyCredential(_ID, "a").digest != ApiKeyCredential(_ID, "b").digest
    assert b"sesame" not in ApiKeyCredential(_ID, "sesame").digest
