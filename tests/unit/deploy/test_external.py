"""Services that the environment provides."""

from __future__ import annotations

import pytest

from deploy.local.plan import as_http, with_database
from deploy.local.programs import (
    EPMD,
    LIVEKIT,
    MEDIA,
    MONGODB,
    PROGRAMS,
    RABBITMQ,
    REDIS,
    ExternalServices,
    IncompleteEnvironment,
)

LIVEKIT_ENVIRONMENT = {
    "GREENROOM_LIVEKIT_URL": "wss://livekit.example",
    "GREENROOM_LIVEKIT_API_KEY": "key",
    "GREENROOM_LIVEKIT_API_SECRET": "secret",
}


def test_without_any_url_every_program_is_needed() -> None:
    assert ExternalServices.from_environment({}).needed_programs() == (
        MONGODB,
        RABBITMQ,
        EPMD,
        REDIS,
        LIVEKIT,
        *MEDIA,
    )


@pytest.mark.parametrize(
    ("environ", "spared"),
    [
        ({"GREENROOM_MONGODB_URI": "mongodb://db"}, {MONGODB}),
        ({"GREENROOM_AMQP_URL": "amqp://broker"}, {RABBITMQ, EPMD}),
        ({"GREENROOM_REDIS_URL": "redis://cache"}, {REDIS}),
        (LIVEKIT_ENVIRONMENT, {LIVEKIT}),
    ],
)
def test_an_external_service_needs_no_program(environ: dict[str, str], spared: set[object]) -> None:
    needed = ExternalServices.from_environment(environ).needed_programs()
    assert not spared & set(needed)
    assert len(needed) == len(PROGRAMS) - len(spared)


def test_an_empty_variable_gives_nothing() -> None:
    assert ExternalServices.from_environment({"GREENROOM_REDIS_URL": ""}).redis_url is None


def test_livekit_without_its_secret_is_refused() -> None:
    with pytest.raises(IncompleteEnvironment, match="API_SECRET"):
        ExternalServices.from_environment({"GREENROOM_LIVEKIT_URL": "ws://livekit"})


def test_each_service_gets_its_own_database_on_an_external_server() -> None:
    uri = with_database("mongodb://user:word@db:27017/admin?replicaSet=rs0", "greenroom_session")
    assert uri == "mongodb://user:word@db:27017/greenroom_session?replicaSet=rs0"


@pytest.mark.parametrize(
    ("livekit_url", "api_url"),
    [
        ("ws://127.0.0.1:7880", "http://127.0.0.1:7880"),
        ("wss://livekit.example/", "https://livekit.example"),
        ("https://livekit.example", "https://livekit.example"),
    ],
)
def test_livekits_api_is_at_the_http_form_of_its_address(livekit_url: str, api_url: str) -> None:
    assert as_http(livekit_url) == api_url


def test_a_mail_server_without_an_address_to_send_from_is_refused() -> None:
    with pytest.raises(IncompleteEnvironment, match="GREENROOM_MAIL_FROM"):
        ExternalServices.from_environment({"GREENROOM_SMTP_URL": "smtp://mail"})
