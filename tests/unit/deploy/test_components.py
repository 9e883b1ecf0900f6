"""The table of components, built from a plan and never started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from deploy.local.components import table
from deploy.local.components.livekit_workers import left_to_user
from deploy.local.credentials import load_credentials
from deploy.local.data_dir import DataDir
from deploy.local.overrides import OTHERS, REFUSED, URLS, Overrides
from deploy.local.plan import PORT_NAMES, StackPlan, addresses_of
from deploy.local.process import StackComponent

REDIS = "rediss://user:w%40rd@cache:6380/2"
PROGRAM = Path("/programs/server")
NAMES = ["a MongoDB-wire server", "rabbitmq-server", "epmd", "redis-server", "livekit-server"]
NAMES += ["nginx with its RTMP module"]


def plan(tmp_path: Path, **given: str) -> StackPlan:
    data = DataDir.at(tmp_path)
    data.create()
    ports = {name: 20_000 + index for index, name in enumerate((*PORT_NAMES, "gateway"))}
    credentials = load_credentials(data)
    overrides = Overrides.of({f"GREENROOM_{name.upper()}": value for name, value in given.items()})
    addresses = addresses_of(data, overrides, ports, credentials)
    return StackPlan(data, ports, credentials, dict.fromkeys(NAMES, PROGRAM), overrides, addresses)


def by_name(components: list[StackComponent]) -> dict[str, StackComponent]:
    return {component.name: component for component in components}


def test_everything_is_started_if_nothing_is_external(tmp_path: Path) -> None:
    assert [component.name for component in table(plan(tmp_path))] == [
        *("mongodb-session", "mongodb-egress", "mongodb-attendance"),
        *("epmd", "rabbitmq", "redis", "mail", "livekit"),
        *("session", "egress", "attendance", "recorder", "gateway", "rtmp", "relay"),
    ]


@pytest.mark.parametrize(
    ("given", "spared"),
    [
        ({"amqp_url": "amqp://broker"}, {"rabbitmq", "epmd"}),
        ({"redis_url": "redis://cache:6379/1"}, {"redis"}),
        ({"smtp_url": "smtps://u:p@mail", "mail_from": "a@example.com"}, {"mail"}),
        ({"mongodb_uri": "mongodb://db/"}, {"mongodb-session", "mongodb-egress", "mongodb-attendance"}),
        (
            {"livekit_url": "ws://lk", "livekit_api_key": "key", "livekit_api_secret": "secret"},
            {"livekit"},
        ),
        ({"engine": "livekit"}, {"recorder"}),
        ({"ingest": "livekit"}, {"rtmp", "relay"}),
        ({"rtmp_url": "rtmp://nginx.example/live"}, {"rtmp"}),
    ],
)
def test_what_is_given_is_not_started(tmp_path: Path, given: dict[str, str], spared: set[str]) -> None:
    everything = set(by_name(table(plan(tmp_path))))
    assert set(by_name(table(plan(tmp_path, **given)))) == everything - spared


TAKEN = {
    "engine": "livekit",
    "ingest": "livekit",
    "storage_url": "s3://bucket/prefix",
    "public_url": "https://live.example.com",
    "internal_secret": "given",
    "centrifugo_secret": "given",
    "keyring": '{"k1": "given"}',
    "mongodb_expiry": "true",
    "rtmp_url": "rtmp://ingress.example/live",
}


@pytest.mark.parametrize(("name", "value"), TAKEN.items())
def test_a_given_setting_is_what_every_service_gets(tmp_path: Path, name: str, value: str) -> None:
    variable = f"GREENROOM_{name.upper()}"
    holders = [name for name, c in by_name(table(plan(tmp_path))).items() if variable in c.env]
    components = by_name(table(plan(tmp_path, **{name: value})))
    values = {components[holder].env[variable] for holder in holders if holder in components}
    assert values == {value}


def test_every_setting_of_the_stack_is_one_that_can_be_given_or_is_refused(tmp_path: Path) -> None:
    """None is set over the user's without a word."""
    names = {name for c in table(plan(tmp_path)) for name in c.env if name.startswith("GREENROOM_")}
    assert names <= {*URLS, *OTHERS, *REFUSED}


def test_the_given_database_server_has_a_database_for_each_service(tmp_path: Path) -> None:
    components = by_name(table(plan(tmp_path, mongodb_uri="mongodb://db/mine")))
    uris = {name: components[name].env["GREENROOM_MONGODB_URI"] for name in ("session", "egress")}
    assert uris == {"session": "mongodb://db/greenroom_session", "egress": "mongodb://db/greenroom_egress"}


def test_livekit_opens_no_room_by_itself_and_posts_to_egress(tmp_path: Path) -> None:
    made = plan(tmp_path)
    config = json.loads((Path(by_name(table(made))["livekit"].cwd) / "livekit.yaml").read_text())
    assert config["room"]["auto_create"] is False
    assert min(config["room"]["empty_timeout"], config["room"]["departure_timeout"]) > 60
    assert config["webhook"]["urls"] == [f"http://127.0.0.1:{made.ports['egress']}/webhooks/livekit"]
    assert config["webhook"]["api_key"] in config["keys"]
    assert config["bind_addresses"] == ["127.0.0.1"]


def test_livekit_accepts_only_pictures_that_a_recorder_decodes(tmp_path: Path) -> None:
    made = plan(tmp_path)
    config = json.loads((Path(by_name(table(made))["livekit"].cwd) / "livekit.yaml").read_text())
    accepted = {codec["mime"].lower() for codec in config["room"]["enabled_codecs"]}
    assert accepted > {"audio/opus", "video/h264", "video/vp8", "video/vp9", "video/av1", "video/rtx"}
    assert "video/h265" not in accepted


def test_a_redis_with_a_password_reaches_livekit(tmp_path: Path) -> None:
    made = plan(tmp_path, redis_url=REDIS)
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


def test_whoever_starts_livekits_own_egress_and_ingress_gets_their_configurations(tmp_path: Path) -> None:
    made = plan(tmp_path, engine="livekit", ingest="livekit", storage_url=tmp_path.as_uri(), redis_url=REDIS)
    egress, ingress = left_to_user(made)
    assert f"it must reach the folder {tmp_path} under this path" in egress
    for name, text in (("egress", egress), ("ingress", ingress)):
        file = made.data.data_of("livekit") / f"{name}.yaml"
        assert f"{name} --config {file}" in text
        config = yaml.safe_load(file.read_text())
        assert (config["api_key"], config["api_secret"]) == (
            made.credentials.livekit_api_key,
            made.credentials.livekit_api_secret,
        )
        assert config["ws_url"] == made.addresses.livekit
        assert (config["redis"]["address"], config["redis"]["password"]) == ("cache:6380", "w@rd")
        assert file.stat().st_mode & 0o077 == 0
        assert config["api_secret"] not in text
        assert "w@rd" not in text
    assert config["rtmp_port"] == made.ports["rtmp"]


def test_a_given_livekit_is_told_where_its_webhooks_go(tmp_path: Path) -> None:
    made = plan(
        tmp_path, engine="livekit", livekit_url="ws://lk", livekit_api_key="k", livekit_api_secret="s"
    )
    (told,) = left_to_user(made)
    assert f"http://127.0.0.1:{made.ports['egress']}/webhooks/livekit" in told


def test_nothing_is_left_to_the_user_by_default(tmp_path: Path) -> None:
    assert left_to_user(plan(tmp_path)) == []
