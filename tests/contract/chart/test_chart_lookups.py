"""What the chart takes from a cluster: keys that are there, and how many pods something else has made."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.contract.chart.rendering import COMPONENT, NAME, NAMESPACE, template

KINDS = {
    "/api/v1": {"Secret": "secrets", "Service": "services"},
    "/apis/apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets"},
}
NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
AUTOSCALED = "gateway.autoscaling.enabled=true"
OTHERWISE = "attendance.replicas=null,recorder.enabled=true,recorder.replicas=null"


def discovery() -> dict[str, Any]:
    """What Kubernetes says it has, by path."""
    return {
        path: {
            "kind": "APIResourceList",
            "groupVersion": path.removeprefix("/apis/").removeprefix("/api/"),
            "resources": [
                {"name": name, "kind": kind, "namespaced": True, "verbs": ["get"]}
                for kind, name in kinds.items()
            ],
        }
        for path, kinds in KINDS.items()
    }


@contextmanager
def cluster(objects: Mapping[tuple[str, str], dict[str, Any]]) -> Iterator[str]:
    """The address of a cluster that has these objects, by kind and name."""
    answers = discovery()
    for (kind, name), content in objects.items():
        ((path, plural),) = ((path, kinds[kind]) for path, kinds in KINDS.items() if kind in kinds)
        version = path.removeprefix("/apis/").removeprefix("/api/")
        one = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}}
        answers[f"{path}/namespaces/{NAMESPACE}/{plural}/{name}"] = one | content

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer or NOT_FOUND).encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def upgraded(objects: Mapping[tuple[str, str], dict[str, Any]], values: str) -> list[dict[str, Any]]:
    """The manifests of an upgrade in a cluster with these objects."""
    with cluster(objects) as address:
        done = template(
            *("default", "--dry-run=server", "--is-upgrade", "--kube-apiserver", address, "--set", values)
        )
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.load_all(done.stdout, yaml.CSafeLoader) if one]


def scaled(kind: str, component: str, pods: int) -> tuple[tuple[str, str], dict[str, Any]]:
    return (kind, f"{NAME}-{component}"), {"spec": {"replicas": pods}}


def numbers(manifests: list[dict[str, Any]]) -> dict[str, int | None]:
    return {
        one["metadata"]["labels"][COMPONENT]: one["spec"].get("replicas")
        for one in manifests
        if one["kind"] in {"Deployment", "StatefulSet"}
    }


@pytest.mark.parametrize("pods", [0, 1, 7])
def test_what_scales_by_itself_keeps_its_pods(pods: int) -> None:
    """A number that an upgrade leaves out would become 1."""
    live = dict(
        [
            scaled("Deployment", "gateway", pods),
            scaled("Deployment", "attendance", pods),
            scaled("Deployment", "session", 5),
            scaled("StatefulSet", "recorder", pods),
        ]
    )
    found = numbers(upgraded(live, f"{AUTOSCALED},{OTHERWISE}"))
    assert found == {"gateway": pods, "attendance": pods, "recorder": pods, "session": 2, "egress": 2}


def test_what_is_new_and_scales_by_itself_has_no_number_yet() -> None:
    found = numbers(upgraded({}, f"{AUTOSCALED},{OTHERWISE}"))
    assert (found["gateway"], found["attendance"], found["recorder"]) == (None, None, None)


def test_an_upgrade_keeps_the_keys_that_are_there() -> None:
    data = {"GREENROOM_KEYRING": base64.b64encode(b'{"k": "mine"}').decode()}
    manifests = upgraded({("Secret", f"{NAME}-keys"): {"data": data}}, AUTOSCALED)
    secrets = {one["metadata"]["name"]: one["data"] for one in manifests if one["kind"] == "Secret"}
    assert secrets[f"{NAME}-keys"] == secrets[f"{NAME}-indexes"] == data
