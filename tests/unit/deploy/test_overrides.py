"""Settings that the environment gives to the local stack: taken, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.environment import described, full_environment
from deploy.local.overrides import Overrides, UnusableEnvironment
from deploy.local.plan import as_http, with_database
from deploy.local.programs import EPMD, FFMPEG, FONTS, LIVEKIT, MONGODB, NGINX, PANGO, RABBITMQ, REDIS

EVERYTHING = {MONGODB, RABBITMQ, EPMD, REDIS, LIVEKIT, NGINX, FFMPEG, PANGO}
OWN_LIVEKIT = {
    "GREENROOM_LIVEKIT_URL": "wss://livekit.example",
    "GREENROOM_LIVEKIT_API_KEY": "key",
    "GREENROOM_LIVEKIT_API_SECRET": "secret",
}


@pytest.mark.parametrize(
    ("environ", "spared"),
    [
        ({}, set()),
        ({"GREENROOM_MONGODB_URI": "mongodb://db"}, {MONGODB}),
        ({"GREENROOM_AMQP_URL": "amqp://broker"}, {RABBITMQ, EPMD}),
        ({"GREENROOM_REDIS_URL": "redis://cache"}, {REDIS}),
        ({"GREENROOM_INGEST": "livekit"}, {NGINX}),
        ({"GREENROOM_RTMP_URL": "rtmp://nginx.example/live"}, {NGINX}),
        (OWN_LIVEKIT, {LIVEKIT}),
        ({"GREENROOM_ENGINE": "livekit"}, {PANGO}),
    ],
)
def test_what_is_given_needs_no_program(environ: dict[str, str], spared: set[object]) -> None:
    assert set(Overrides.of(environ).needed_programs()) == EVERYTHING - spared


def test_fonts_are_for_recorders() -> None:
    assert Overrides.of({}).needed_fonts() == FONTS
    assert Overrides.of({"GREENROOM_ENGINE": "livekit"}).needed_fonts() == ()


def test_an_empty_variable_gives_nothing() -> None:
    assert Overrides.of({"GREENROOM_REDIS_URL": "", "GREENROOM_PORT": ""}) == Overrides()


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"GREENROOM_LIVEKIT_URL": "ws://livekit"}, "GREENROOM_LIVEKIT_URL needs .*API_SECRET"),
        ({"GREENROOM_LIVEKIT_API_URL": "http://livekit"}, "needs GREENROOM_LIVEKIT_URL"),
        ({"GREENROOM_SMTP_URL": "smtp://mail"}, "needs GREENROOM_MAIL_FROM"),
        ({"GREENROOM_IDENTITY_SIGNING_KID": "k1"}, "needs .*PRIVATE_KEY"),
        ({"GREENROOM_BOOTSTRAP_ADMIN_EMAIL": "a@example.com"}, "needs .*ADMIN_PASSWORD"),
        ({"GREENROOM_ENGINE": "LiveKit"}, "GREENROOM_ENGINE must be livekit or embedded"),
        ({"GREENROOM_INGEST": "nginx"}, "GREENROOM_INGEST must be livekit or embedded"),
        ({"GREENROOM_REDIS_URL": "localhost:6379"}, "REDIS_URL must be a URL that begins with redis://"),
        ({"GREENROOM_STORAGE_URL": "/srv/storage"}, "STORAGE_URL must be a URL that begins with file://"),
        ({"GREENROOM_MONGODB_URI": "mongodb://"}, "MONGODB_URI must be a URL"),
        ({"GREENROOM_PORT": "9000"}, "GREENROOM_PORT cannot be set: .*--port"),
        ({"GREENROOM_EGRESS_URL": "http://egress"}, "GREENROOM_EGRESS_URL cannot be set"),
        ({"GREENROOM_SPOOL": "/spool"}, "GREENROOM_SPOOL cannot be set: .*--data-dir"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(UnusableEnvironment, match=reason):
        Overrides.of(environ)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(UnusableEnvironment) as caught:
        Overrides.of({"GREENROOM_PORT": "1", "GREENROOM_ENGINE": "none", "GREENROOM_AMQP_URL": "broker"})
    assert len(str(caught.value).splitlines()) == 3


def test_settings_of_the_file_are_taken_beneath_those_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "greenroom.yaml"
    file.write_text("engine: livekit\ningest: livekit\nkeyring: {k1: secret}\ncors_origins: [https://a]\n")
    environ = {"GREENROOM_CONFIG": str(file), "GREENROOM_INGEST": "embedded", "HOME": "/home/me"}
    full = full_environment(environ)
    assert full == {
        **environ,
        "GREENROOM_ENGINE": "livekit",
        "GREENROOM_KEYRING": '{"k1": "secret"}',
    }


def test_names_are_in_capitals_as_for_the_services_they_are_the_same() -> None:
    assert full_environment({"greenroom_engine": "livekit"}) == {"GREENROOM_ENGINE": "livekit"}
    both = {"greenroom_engine": "embedded", "GREENROOM_ENGINE": "livekit"}
    assert full_environment(both) == {"GREENROOM_ENGINE": "livekit"}


@pytest.mark.parametrize("content", [None, "- a list", "{"])
def test_a_settings_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "greenroom.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnusableEnvironment, match=r"greenroom\.yaml"):
        full_environment({"GREENROOM_CONFIG": str(file)})


def test_what_is_used_is_described_without_its_secrets() -> None:
    environ = {
        "GREENROOM_ENGINE": "livekit",
        "GREENROOM_AMQP_URL": "amqp://user:hunter2@broker:5672/",
        "GREENROOM_INTERNAL_SECRET": "hunter2",
        "GREENROOM_STORAGE_OPTIONS": '{"secret_access_key": "hunter2"}',
        "GREENROOM_INGEST": "",
        "GREENROOM_DATA_DIR": "/data",
        "HOME": "/home/me",
    }
    assert described(environ, environ) == [
        "GREENROOM_AMQP_URL=amqp://broker:5672/ from the environment",
        "GREENROOM_ENGINE=livekit from the environment",
        "GREENROOM_INTERNAL_SECRET from the environment",
        "GREENROOM_STORAGE_OPTIONS from the environment",
    ]


def test_what_the_settings_file_gives_is_not_said_to_be_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "greenroom.yaml"
    file.write_text("engine: livekit\ningest: livekit\n")
    environ = {"GREENROOM_CONFIG": str(file), "greenroom_ingest": "embedded"}
    assert described(full_environment(environ), environ) == [
        f"GREENROOM_ENGINE=livekit from {file}",
        "GREENROOM_INGEST=embedded from the environment",
    ]


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ("mongodb://db:27017", ""),
        ("mongodb://db/admin?replicaSet=rs0", "?replicaSet=rs0"),
        ("mongodb://user:word@db/accounts?replicaSet=rs0", "?replicaSet=rs0&authSource=accounts"),
        ("mongodb+srv://user:word@db", "?authSource=admin"),
        ("mongodb://user:word@db/?authSource=x", "?authSource=x"),
        ("mongodb://user@db/?authMechanism=MONGODB-X509", "?authMechanism=MONGODB-X509"),
    ],
)
def test_each_service_has_its_own_database_and_the_user_stays_where_it_is_known(
    given: str, query: str
) -> None:
    assert with_database(given, "greenroom_session").partition("/greenroom_session")[2] == query


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
