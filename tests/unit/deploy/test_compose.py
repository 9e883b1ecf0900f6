"""deploy/compose.yaml by reading it: what it needs, what it pins, and that Greenroom takes what it gives."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.env_file import TEMPLATE, filled, values_of
from deploy.images.project import PROJECT, version
from deploy.local.components import media
from deploy.local.programs import GO_PACKAGE
from services.attendance.settings import AttendanceSettings
from services.egress.settings import EgressSettings
from services.gateway.settings import GatewaySettings
from services.recorder.settings import RecorderSettings
from services.relay.settings import RelaySettings
from services.session.settings import SessionSettings
from shared.runtime.settings import ServiceSettings, load
from tests.promql import PART_OF

DEPLOY = PROJECT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = DOCUMENT["services"]
# What several services are given, used by those that need it.
SHARED = {name for key in ("environment", "livekit", "public") for name in DOCUMENT[f"x-{key}"]}
SETTINGS: dict[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "session": SessionSettings,
    "egress": EgressSettings,
    "attendance": AttendanceSettings,
    "recorder": RecorderSettings,
    "relay": RelaySettings,
}
# `$$` is a dollar.
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?:(:?[-?])([^}]*))?\}")


def interpolated(value: str, values: dict[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        """`:-` is for a variable without a value, `-` for one that is not there."""
        absent = found[1] not in values if found[2] == "-" else not values.get(found[1])
        return found[3] if absent and found[2] in {"-", ":-"} else values.get(found[1], "")

    return VARIABLE.sub(replace, value)


def environment_file() -> dict[str, str]:
    """As compose reads it: quotes removed, and variables of the file itself replaced."""
    values: dict[str, str] = {}
    for name, value in values_of(filled({}, datetime.now(UTC))).items():
        values[name] = interpolated(value.strip("'\""), values)
    return values


def test_every_variable_is_in_the_example_and_every_one_of_the_example_is_used() -> None:
    used = {found[1] for found in VARIABLE.finditer(TEXT)}
    example = values_of(TEMPLATE.read_text()).keys()
    optional = {"MAILPIT_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT", "METRICS_KEPT"}
    assert used - example == optional
    assert example - used == {"COMPOSE_PROFILES"}


def test_nothing_secret_has_a_default() -> None:
    secret = {name for name, value in values_of(TEMPLATE.read_text()).items() if not value} - {
        *("TRUSTED_PROXIES", "OTEL_EXPORTER_OTLP_ENDPOINT", "IMAGE_REGISTRY")
    }
    how = {found[1]: found[2] for found in VARIABLE.finditer(TEXT)}
    assert {how[name] for name in secret} == {":?"}


def test_no_origin_may_be_allowed() -> None:
    """An empty value is one: it does not become everybody."""
    for service, variable in (
        ("gateway", "GREENROOM_CORS_ORIGINS"),
        ("centrifugo", "CENTRIFUGO_CLIENT_ALLOWED_ORIGINS"),
    ):
        value = SERVICES[service]["environment"][variable]
        assert interpolated(value, {"CORS_ORIGINS": "", "CENTRIFUGO_ORIGINS": ""}) == ""
        assert interpolated(value, {}) == "*"


def test_mongodb_s_key_is_its_own_and_in_no_folder_of_everybody_s(tmp_path: Path) -> None:
    """Where Linux protects regular files (fs.protected_regular), root cannot write to others' in /tmp."""
    shell, option, script = SERVICES["mongodb"]["entrypoint"]
    found = re.search(r"--keyFile (/etc/\S+)", script)
    assert found
    key, server = tmp_path / "key", tmp_path / "docker-entrypoint.sh"
    server.write_text(f"#!/bin/sh\nstat -c %a {key}\ncat {key}\n")
    server.chmod(0o700)
    here = script.replace("$$", "$").replace(found[1], str(key))
    assert here.count(str(key)) == 2
    here = here.replace("-o mongodb -g mongodb ", "")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REPLICA_SET_KEY": "5ec2e7", "CACHE_GB": "1"}
    for _ in range(2):  # a container that is started again has the file
        done = subprocess.run([shell, option, here], env=environment, capture_output=True, check=True)
        assert done.stdout == b"400\n5ec2e7\n"


def test_what_is_called_is_waited_for_until_it_answers() -> None:
    """It bears that RabbitMQ and LiveKit are away, and so does its health."""
    for name in ("session", "egress", "attendance"):
        path = SERVICES[name]["healthcheck"]["test"][-1]
        assert path == "/readyz?exclude=rabbitmq&exclude=livekit"


def test_livekit_s_webhooks_go_past_the_gateway() -> None:
    assert SERVICES["gateway"]["environment"]["GREENROOM_LIVEKIT_WEBHOOKS"] == "false"
    livekit = yaml.safe_load((DEPLOY / "compose/livekit.yaml").read_text())
    assert livekit["webhook"]["urls"] == ["http://egress:8080/webhooks/livekit"]


@pytest.mark.parametrize("name", SETTINGS)
def test_each_service_starts_in_production_with_the_filled_example(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, environment = environment_file(), SERVICES[name]["environment"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, interpolated(value, values))
    settings = load(SETTINGS[name])
    assert settings.environment == "production"
    unknown = {variable for variable in environment if variable.startswith("GREENROOM_")} - {
        f"GREENROOM_{field.upper()}" for field in type(settings).model_fields
    }
    assert unknown <= SHARED


def test_images_are_pinned_and_livekit_is_the_one_that_is_tested() -> None:
    foreign = {service["image"] for service in SERVICES.values() if "${" not in service["image"]}
    assert all(re.fullmatch(r"docker\.io/[a-z/-]+:v?\d+\.\d+\.\d+", image) for image in foreign), foreign
    assert SERVICES["livekit"]["image"].endswith(f":{GO_PACKAGE.rpartition('@')[2]}")
    assert values_of(TEMPLATE.read_text())["GREENROOM_VERSION"] == version()


def test_what_is_waited_for_has_a_check_or_completes() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            checked = "healthcheck" in SERVICES[needed]
            assert checked == (how["condition"] == "service_healthy"), (name, needed)


def test_greenrooms_processes_may_do_nothing_that_they_need_not() -> None:
    for name in SETTINGS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["command"] == ["serve", name]


def test_only_what_clients_need_listens_for_everybody() -> None:
    values = environment_file()
    public = {
        name
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
        if not interpolated(port, values).startswith("127.0.0.1:")
    }
    assert public == {"gateway", "livekit", "livekit-ingress", "rtmp", "centrifugo", "tls"}


def test_rooms_are_as_on_the_local_stack() -> None:
    room = yaml.safe_load((DEPLOY / "compose/livekit.yaml").read_text())["room"]
    assert room == media.ROOM


def test_every_service_is_scraped_and_every_file_that_is_mounted_is_there() -> None:
    scraped = yaml.safe_load((DEPLOY / "compose/prometheus.yml").read_text())["scrape_configs"]
    assert {job["job_name"] for job in scraped} == {*SETTINGS, "livekit", "rabbitmq"}
    looked_up = [one for job in scraped for one in job["dns_sd_configs"]]
    names = {name for one in looked_up for name in one["names"]}
    ports = {one["port"] for one in looked_up if one["names"][0] in SETTINGS}
    ours = {job["job_name"] for job in scraped if "relabel_configs" in job}
    assert ours == SETTINGS.keys()
    part_of = [job["relabel_configs"] for job in scraped if job["job_name"] in ours]
    assert all(one == [{"target_label": "part_of", "replacement": PART_OF}] for one in part_of)
    assert ports == {int(DOCUMENT["x-environment"]["GREENROOM_METRICS_PORT"])}
    assert names <= SERVICES.keys()
    mounted = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    }
    assert [path for path in mounted if not (DEPLOY / path).exists()] == []


def test_centrifugo_asks_as_its_document_says() -> None:
    documented = re.search(r"```json\n(.*?)```", (PROJECT / "docs/centrifugo.md").read_text(), re.DOTALL)
    assert documented
    text = documented[1].replace("https://live.example.com", "http://gateway:8080")
    wanted = json.loads(text)
    given = json.loads((DEPLOY / "compose/centrifugo.json").read_text())
    del wanted["client"]["allowed_origins"]  # CORS_ORIGINS
    for proxy in (*wanted["client"]["proxy"].values(), *wanted["channel"]["proxy"].values()):
        del proxy["http"]  # the secret
    assert {name: given[name] for name in wanted} == wanted
