"""Every process starts with what its pod gives it, and is given no more than it needs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.documents.chart import CHART
from deploy.documents.chart.schema import GIVEN_BY_THE_CHART
from deploy.documents.settings import SERVICES
from shared.runtime.settings import ServiceSettings, base64url, load
from tests.contract.chart.rendering import (
    NAME,
    VALUES,
    Manifest,
    Rendering,
    Workload,
    rendered,
    template,
)

SETTINGS = {service.name: service.settings for service in SERVICES}
# What a process accepts and does not use.
UNUSED = {"gateway": {"amqp_url"}, "recorder": {"internal_secret", "internal_previous_secrets"}}
# Of nginx beside the relay, which is no service with settings.
RTMP_VARIABLES = {"GREENROOM_HOST", "GREENROOM_PORT"}
# Secrets that an operator has made, by the keys that the values name.
OTHERS = {
    "GREENROOM_INTERNAL_SECRET": "Yw3kPz8TqLm5Vx2RbN9cHs6J",
    "GREENROOM_REFRESH_SECRET": "eF7uGd4XnQz9Wm2KrT5vBy8C",
    "GREENROOM_IDENTITY_PUBLIC_KEYS": '{"k": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
    "GREENROOM_IDENTITY_SIGNING_KID": "k",
    "GREENROOM_IDENTITY_PRIVATE_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "GREENROOM_KEYRING": '{"k": "Qw0BsxDrUrHIdRF-AeQbClzSqiveO_3REGbIgSbqdX0"}',
    "session-uri": "mongodb://s:cN5yWq8RzT3wXc7B@db/greenroom_session",
    "egress-uri": "mongodb://e:cN5yWq8RzT3wXc7B@db/greenroom_egress",
    "attendance-uri": "mongodb://a:cN5yWq8RzT3wXc7B@db/greenroom_attendance",
    "connectionString.standard": "mongodb://s:cN5yWq8RzT3wXc7B@db/greenroom_session",
    "connection_string": "amqp://u:Zx4nLq9VtB6wKr2M@mq:5672/",
    "url": "redis://:Zx4nLq9VtB6wKr2M@redis:6379",
    "api-key": "APIsKq7dWn2x",
    "api-secret": "mT6rXz9QvWk3nHb8LcYp5sGd",
    "previous-keys": '{"APIold": "uV2yKc7WqZn4rXt9LmBp6sHd"}',
    "secret": "bQ4nXk8WzM2rTf6YvJ9c",
    "previous-secrets": '["tR5wKp9XzN3vLm7BqY2cHs8D"]',
    "GREENROOM_INTERNAL_PREVIOUS_SECRETS": '["Zb6nWq2RzX9vKt4LmY7cHp3D"]',
    "GREENROOM_REFRESH_PREVIOUS_SECRETS": '["Kd8sVw3TzP6nRq9XmL2bYc5H"]',
    "access-key-id": "AKIA5XQW2RLN9KZT3MVB",
    "secret-access-key": "pQ8rWt5mXn3kFz7vJc2bLy9sHd4gAe6uKiTo",
}


@pytest.fixture(params=VALUES)
def chart(request: pytest.FixtureRequest) -> Rendering:
    return rendered(request.param)


def processes(chart: Rendering) -> list[tuple[Workload, Manifest, type[ServiceSettings]]]:
    """The containers that read settings, those of the indexes' Job too."""
    return [
        (workload, container, SETTINGS[container["name"]])
        for workload in chart.workloads()
        for container in workload.containers
        if container["name"] in SETTINGS
    ]


def started(
    chart: Rendering, container: Manifest, settings: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> ServiceSettings:
    for name in [name for name in os.environ if name.startswith("GREENROOM_")]:
        monkeypatch.delenv(name)
    for name, value in chart.environment(container, OTHERS).items():
        monkeypatch.setenv(name, value)
    return load(settings)


def test_every_process_starts_with_the_settings_of_its_pod(
    chart: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In production: all that it needs is there, and no secret is weak."""
    assert processes(chart)
    for _, container, settings in processes(chart):
        with monkeypatch.context() as environment:
            loaded = started(chart, container, settings, environment)
        assert loaded.environment == "production"
        assert (loaded.host, loaded.port) == ("0.0.0.0", 8080)  # noqa: S104


def test_every_variable_is_a_setting_of_its_process(chart: Rendering) -> None:
    for workload in chart.workloads():
        for container in workload.containers:
            given = {name for name in chart.environment(container, OTHERS) if name.startswith("GREENROOM_")}
            service = SETTINGS.get(container["name"])
            known = {f"GREENROOM_{name.upper()}" for name in service.model_fields} if service else set()
            assert given <= (RTMP_VARIABLES if container["name"] == "rtmp" else known), container["name"]


def test_every_setting_can_be_given() -> None:
    """By a value of the chart's own, or by name under `settings`."""
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    full = rendered("full")
    for workload, container, settings in processes(full):
        if workload.kind == "Job":
            continue
        given = {name.removeprefix("GREENROOM_").lower() for name in full.environment(container, OTHERS)}
        named = schema[container["name"]]["properties"]["settings"]["properties"].keys()
        assert set(settings.model_fields) - given - named == UNUSED.get(container["name"], set())
        assert named & GIVEN_BY_THE_CHART == set()


def from_secrets(container: Manifest) -> set[str]:
    return {one["name"] for one in container.get("env", []) if "valueFrom" in one}


def secrets_of(container: Manifest) -> set[str]:
    variables = [one for one in container.get("env", []) if "valueFrom" in one]
    return {one["valueFrom"]["secretKeyRef"]["name"] for one in variables}


def test_secrets_are_given_to_those_that_need_them() -> None:
    full = rendered("full")
    holders: dict[str, set[str]] = {}
    for workload in full.running():
        for container in workload.containers:
            for name in from_secrets(container):
                holders.setdefault(name.removeprefix("GREENROOM_"), set()).add(container["name"])
    services, storing = {"session", "egress", "attendance"}, {"session", "egress", "recorder"}
    session_only = ("IDENTITY_PRIVATE_KEY", "IDENTITY_SIGNING_KID", "REFRESH_SECRET", "KEYRING", "SMTP_URL")
    assert holders == {
        **{name: {"session"} for name in session_only},
        "CENTRIFUGO_SECRET": {"session"},
        "CENTRIFUGO_PREVIOUS_SECRETS": {"session"},
        "REFRESH_PREVIOUS_SECRETS": {"session"},
        "INTERNAL_PREVIOUS_SECRETS": {"gateway", *services, "relay"},
        "BOOTSTRAP_ADMIN_PASSWORD": {"session"},
        "REDIS_URL": {"gateway"},
        "IDENTITY_PUBLIC_KEYS": {"gateway", *services, "recorder", "relay"},
        "INTERNAL_SECRET": {"gateway", *services, "relay"},
        "AMQP_URL": services,
        "MONGODB_URI": {*services, "recorder"},
        "LIVEKIT_API_KEY": {*storing, "relay"},
        "LIVEKIT_API_SECRET": {*storing, "relay"},
        "LIVEKIT_PREVIOUS_KEYS": {"egress"},
        "S3_ACCESS_KEY_ID": storing,
        "S3_SECRET_ACCESS_KEY": storing,
    }


def test_nothing_that_is_in_a_secret_is_anywhere_else(chart: Rendering) -> None:
    """Not as it is, not as base64, and of an address not its password."""
    elsewhere = yaml.dump_all(one for one in chart.manifests if one["kind"] != "Secret")
    published = {"GREENROOM_IDENTITY_SIGNING_KID"}
    values = {
        value
        for secret in chart.secrets().values()
        for key, whole in secret.items()
        if key not in published
        for value in (whole, *re.findall(r"://[^:@]*:([^@]+)@", whole))
    }
    assert values or chart is rendered("default")
    assert [value for value in values if value in elsewhere] == []
    encoded = {value for one in chart.of("Secret") for value in one["data"].values() if len(value) > 12}
    assert [value for value in encoded if value in elsewhere] == []


def test_services_find_each_other(chart: Rendering) -> None:
    """Each address within the release is that of a Service, with its port."""
    served = {
        f"http://{one['metadata']['name']}:{port['port']}"
        for one in chart.of("Service")
        for port in one["spec"]["ports"]
    }
    for _, container, _ in processes(chart):
        environment = chart.environment(container, OTHERS)
        called = {value for value in environment.values() if value.startswith(f"http://{NAME}")}
        assert called <= served


def test_grace_is_longer_than_a_process_takes_to_stop(
    chart: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/operations: the readiness delay, twice the draining, the closing and 2 s."""
    for workload in chart.running():
        for container in workload.containers:
            if container["name"] in SETTINGS:
                with monkeypatch.context() as environment:
                    its = started(chart, container, SETTINGS[container["name"]], environment)
                stops = its.readiness_delay_seconds + 2 * its.drain_seconds + its.close_seconds + 2
                assert its.readiness_delay_seconds >= 5
                assert stops < workload.pod["terminationGracePeriodSeconds"] <= stops + 5


def environment_of(chart: Rendering, name: str) -> dict[str, str]:
    (container, *_) = chart.running_one(name).containers
    return chart.environment(container, OTHERS)


def test_values_become_settings() -> None:
    full = rendered("full")
    session, egress = environment_of(full, "session"), environment_of(full, "egress")
    assert session["GREENROOM_PUBLIC_URL"] == egress["GREENROOM_PUBLIC_URL"] == "https://live.example.com"
    assert session["GREENROOM_LIVEKIT_PUBLIC_URL"] == "wss://livekit.example.com"
    assert environment_of(full, "recorder")["GREENROOM_LIVEKIT_URL"] == "ws://livekit.media:7880"
    assert (egress["GREENROOM_ENGINE"], egress["GREENROOM_INGEST"]) == ("embedded", "embedded")
    assert egress["GREENROOM_RECORDINGS_QUOTA_BYTES"] == "5000000000000"
    assert session["GREENROOM_CLOSE_SECONDS"] == "40"
    assert egress["GREENROOM_LOG_LEVEL"] == "WARNING"
    assert json.loads(session["GREENROOM_STORAGE_OPTIONS"]) == {
        "region": "eu-central-1",
        "endpoint": "https://s3.example.com",
        "access_key_id": "AKIA3XWQ7PLM2NZT5RVB",
        "secret_access_key": "wJ8rXt5mFn3kQz7vLc2bHy9sGd4pAe6uRiToWq1Z",
    }
    gateway = environment_of(full, "gateway")
    assert (gateway["GREENROOM_LIVEKIT_WEBHOOKS"], gateway["GREENROOM_TRUSTED_PROXIES"]) == (
        "false",
        "10.0.0.0/8",
    )
    minimal = environment_of(rendered("minimal"), "egress")
    assert (minimal["GREENROOM_ENGINE"], minimal["GREENROOM_INGEST"]) == ("livekit", "livekit")
    assert environment_of(rendered("default"), "session")["GREENROOM_LIVEKIT_PUBLIC_URL"].startswith("ws://")


def test_a_service_s_own_setting_wins_over_that_of_all() -> None:
    """Also one that is false or nought."""
    delay = "settings.readiness_delay_seconds"
    chart = rendered("default", f"--set={delay}=8,session.{delay}=0")
    assert environment_of(chart, "session")["GREENROOM_READINESS_DELAY_SECONDS"] == "0"
    assert environment_of(chart, "egress")["GREENROOM_READINESS_DELAY_SECONDS"] == "8"


def test_files_are_shared_by_those_that_store_them() -> None:
    mounting = {
        workload.component
        for workload in rendered("minimal").running()
        for container in workload.containers
        for mount in container["volumeMounts"]
        if mount["mountPath"] == "/var/lib/greenroom/storage"
    }
    assert mounting == {"session", "egress"}


def own_keys(chart: Rendering) -> dict[str, str]:
    return chart.secrets()[f"{NAME}-keys"]


def test_the_keys_that_the_chart_makes_belong_together() -> None:
    keys = own_keys(rendered("default"))
    kid = keys["GREENROOM_IDENTITY_SIGNING_KID"]
    private = Ed25519PrivateKey.from_private_bytes(base64url(keys["GREENROOM_IDENTITY_PRIVATE_KEY"]))
    public = json.loads(keys["GREENROOM_IDENTITY_PUBLIC_KEYS"])
    assert base64url(public[kid]) == private.public_key().public_bytes_raw()
    assert [len(base64url(key)) for key in json.loads(keys["GREENROOM_KEYRING"]).values()] == [32]
    assert len(set(keys.values())) == len(keys)


def test_each_installation_has_keys_of_its_own() -> None:
    again = rendered("default", "--set=nameOverride=greenroom")
    assert set(own_keys(rendered("default")).values()) & set(own_keys(again).values()) == {
        own_keys(again)["GREENROOM_IDENTITY_SIGNING_KID"]
    }


def test_the_job_of_the_indexes_does_not_wait_for_what_is_installed_after_it() -> None:
    """Hooks run first: Secrets, ConfigMaps and accounts of the release are not there yet."""
    for values in ("default", "full"):
        chart = rendered(values)
        (job,) = chart.of("Job")
        before = chart.named("Secret", f"{NAME}-indexes")
        for hook in (job, before):
            assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert int(before["metadata"]["annotations"]["helm.sh/hook-weight"]) < 0
        made = {name for name in chart.secrets() if name != before["metadata"]["name"]}
        pod = job["spec"]["template"]["spec"]
        assert "serviceAccountName" not in pod
        for container in pod["containers"]:
            assert "envFrom" not in container
            assert not secrets_of(container) & made
        copied = chart.secrets()[before["metadata"]["name"]]
        originals: dict[str, str] = {}
        for name in made:
            originals |= chart.secrets()[name]
        assert copied == originals


def test_a_secret_of_the_operator_s_is_not_made() -> None:
    full = rendered("full")
    assert f"{NAME}-keys" not in full.secrets()
    containers = [container for workload in full.workloads() for container in workload.containers]
    wanted = {name for container in containers for name in secrets_of(container)}
    others = {"greenroom-own-keys", "session-database", "greenroom-mongodb", "rabbitmq-default-user"}
    assert wanted - full.secrets().keys() == {*others, "greenroom-livekit", "greenroom-centrifugo"}


REFUSED: Mapping[str, tuple[str, str]] = {
    "a value that is misspelt": ("gatway.replicas=3", "gatway"),
    "one within": ("gateway.replica=3", "replica"),
    "a setting that the service does not have": ("session.settings.cors_origins=x", "cors_origins"),
    "a setting that is misspelt": ("gateway.settings.cors_orgins=x", "cors_orgins"),
    "a secret among the settings": ("session.settings.refresh_secret=x", "refresh_secret"),
    "an address among the settings": ("session.settings.mongodb_uri=x", "mongodb_uri"),
    "a number that is none": ("gateway.replicas=two", "replicas"),
    "a setting out of its range": ("egress.settings.stream_width=3", "stream_width"),
    "a choice that there is not": ("egress.settings.stream_layout=heap", "stream_layout"),
    "another scheme": ("mongodb.session.uri=postgres://db", "uri"),
    "a service type that there is not": ("gateway.service.type=Public", "type"),
    "a relay that nobody finds": ("relay.enabled=true", "relay.publicUrl is needed"),
    "files on no volume": ("storage.url=file:///srv/files", "storage.volume is needed"),
    "mails from nobody": ("smtp.enabled=true", "smtp.from is needed"),
    "an ingress for no name": ("ingress.enabled=true", "ingress.host is needed"),
    "a route through no Gateway": ("httpRoute.enabled=true", "httpRoute.parentRefs is needed"),
    "half of LiveKit's key": ("livekit.apiKey=k", "livekit.apiSecret is needed"),
    "half of the storage's": ("storage.accessKeyId=k", "storage.secretAccessKey is needed"),
    "a database nowhere": ("mongodb.egress.existingSecret=", "GREENROOM_MONGODB_URI needs a value"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_by_name(case: str) -> None:
    values, named = REFUSED[case]
    done = template("default", "--set", values)
    assert done.returncode != 0
    assert named in done.stderr


def versions() -> Mapping[str, Any]:
    chart: Mapping[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return chart


def test_the_chart_installs_this_version() -> None:
    project = (CHART.parents[2] / "pyproject.toml").read_text()
    assert f'version = "{versions()["appVersion"]}"' in project
    for workload in rendered("default").running():
        for container in workload.containers:
            assert container["image"].endswith(f":{versions()['appVersion']}")
