"""The table of components, built from a plan and never started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.local.components import table
from deploy.local.credentials import load_credentials
from deploy.local.data_dir import DataDir
from deploy.local.plan import PORT_NAMES, StackPlan, addresses_of
from deploy.local.process import StackComponent
from deploy.local.programs import ExternalServices

PROGRAM = Path("/programs/server")
NAMES = ["a MongoDB-wire server", "rabbitmq-server", "epmd", "redis-server", "livekit-server"]


def plan(tmp_path: Path, **external: str) -> StackPlan:
    data = DataDir.at(tmp_path)
    data.create()
    ports = {name: 20_000 + index for index, name in enumerate((*PORT_NAMES, "gateway"))}
    credentials = load_credentials(data)
    provided = ExternalServices.from_environment(
        {f"GREENROOM_{name.upper()}": value for name, value in external.items()}
    )
    programs = dict.fromkeys(NAMES, PROGRAM)
    return StackPlan(data, ports, credentials, programs, provided, addresses_of(provided, ports, credentials))


def by_name(components: list[StackComponent]) -> dict[str, StackComponent]:
    return {component.name: component for component in components}


def test_everything_is_started_if_nothing_is_external(tmp_path: Path) -> None:
    assert [component.name for component in table(plan(tmp_path))] == [
        *("mongodb-session", "mongodb-egress", "mongodb-attendance"),
        *("epmd", "rabbitmq", "redis", "mail", "livekit"),
        *("session", "egress", "attendance", "recorder", "gateway"),
    ]


@pytest.mark.parametrize(
    ("external", "spared"),
    [
        ({"amqp_url": "amqp://broker"}, {"rabbitmq", "epmd"}),
        ({"redis_url": "redis://cache:6379/1"}, {"redis"}),
        ({"smtp_url": "smtps://u:p@mail", "mail_from": "a@example.com"}, {"mail"}),
        ({"mongodb_uri": "mongodb://db/"}, {"mongodb-session", "mongodb-egress", "mongodb-attendance"}),
        (
            {"livekit_url": "ws://lk", "livekit_api_key": "key", "livekit_api_secret": "secret"},
            {"livekit"},
        ),
    ],
)
def test_external_services_are_not_started(
    tmp_path: Path, external: dict[str, str], spared: set[str]
) -> None:
    assert not spared & set(by_name(table(plan(tmp_path, **external))))


def test_livekit_opens_no_room_by_itself_and_posts_to_egress(tmp_path: Path) -> None:
    made = plan(tmp_path)
    config = json.loads((Path(by_name(table(made))["livekit"].cwd) / "livekit.yaml").read_text())
    assert config["room"]["auto_create"] is False
    assert min(config["room"]["empty_timeout"], config["room"]["departure_timeout"]) > 60
    assert config["webhook"]["urls"] == [f"http://127.0.0.1:{made.ports['egress']}/webhooks/livekit"]
    assert config["webhook"]["api_key"] in config["keys"]
    assert config["bind_addresses"] == ["127.0.0.1"]


def test_a_redis_with_a_password_reaches_livekit(tmp_path: Path) -> None:
    made = plan(tmp_path, redis_url="rediss://user:w%40rd@cache:6380/2")
    config = json.loads((Path(by_name(table(made))["livekit"].cwd) / "livekit.yaml").read_text())
    assert config["redis"] == {
        "address": "cache:6380",
        "db": 2,
        "username": "user",
        "password": "w@rd",
        "tls": {"enabled": True},
    }


def test_only_the_session_service_gets_the_signing_key(tmp_path: Path) -> None:
    components = by_name(table(plan(tmp_path)))
    holders = [name for name, c in components.items() if "GREENROOM_IDENTITY_PRIVATE_KEY" in c.env]
    assert holders == ["session"]


def test_the_gateway_gets_no_database_and_no_broker(tmp_path: Path) -> None:
    env = by_name(table(plan(tmp_path)))["gateway"].env
    assert not {"GREENROOM_MONGODB_URI", "GREENROOM_AMQP_URL"} & set(env)
    assert "GREENROOM_REDIS_URL" in env


def test_the_local_database_gets_no_retryable_writes(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert all(uri.endswith("?retryWrites=false") for uri in made.addresses.mongodb.values())
