"""The chart's manifests: valid, hardened, and fitting each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.documents.chart import CHART
from tests.contract.chart.rendering import (
    COMPONENT,
    NAME,
    VALUES,
    Manifest,
    Rendering,
    Workload,
    helm,
    rendered,
    values_file,
)
from tests.promql import PART_OF

# Their schemas are not Kubernetes' own.
OPERATORS = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}
# Of the oldest that docs/operations/kubernetes.md names, and the newest there is.
RELEASES = ("1.29", kubernetes_validate.latest_version())
SERVICES = ("gateway", "session", "egress", "attendance")
# They stay in their Services while RabbitMQ or LiveKit is away.
BEARING = ("session", "egress", "attendance")
# The Service of all pods, for Prometheus.
METRICS = f"{NAME}-metrics"


@pytest.fixture(params=VALUES)
def chart(request: pytest.FixtureRequest) -> Rendering:
    return rendered(request.param)


@pytest.mark.parametrize("name", VALUES)
def test_helm_finds_nothing_wrong(name: str) -> None:
    done = helm("lint", "--strict", str(CHART), "-f", str(values_file(name)))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("release", RELEASES)
def test_every_manifest_is_valid(chart: Rendering, release: str) -> None:
    assert chart.manifests
    for manifest in chart.manifests:
        assert manifest["metadata"]["namespace"] == "greenroom"
        if manifest["kind"] not in OPERATORS:
            kubernetes_validate.validate(manifest, release, strict=True)


def test_names_are_unique(chart: Rendering) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in chart.manifests]
    assert len(names) == len(set(names))


def test_each_kind_that_the_values_ask_for_is_there() -> None:
    kinds = {one["kind"] for one in rendered("full").manifests}
    assert kinds == OPERATORS | {
        *("Deployment", "StatefulSet", "Job", "Pod", "ConfigMap", "Secret", "ServiceAccount", "Service"),
        *("NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Ingress"),
    }


def test_pods_meet_the_restricted_standard(chart: Rendering) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, and no token of the API."""
    for workload in chart.workloads():
        pod = workload.pod
        assert pod["automountServiceAccountToken"] is False
        # Else the Service greenroom-metrics would set GREENROOM_METRICS_PORT to its URL.
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "persistentVolumeClaim"}
        for container in workload.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "hostPort" not in json.dumps(container.get("ports", []))
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]  # noqa: S108


def test_what_is_mounted_is_a_volume(chart: Rendering) -> None:
    for workload in chart.workloads():
        claims = workload.manifest.get("spec", {}).get("volumeClaimTemplates", [])
        volumes = [one["name"] for one in workload.pod["volumes"]]
        volumes += [claim["metadata"]["name"] for claim in claims]
        assert len(volumes) == len(set(volumes))
        mounted = {one["name"] for container in workload.containers for one in container["volumeMounts"]}
        assert mounted == set(volumes)


def test_each_process_has_an_account_of_its_own(chart: Rendering) -> None:
    accounts = {one["metadata"]["name"]: one for one in chart.of("ServiceAccount")}
    used = [workload.pod["serviceAccountName"] for workload in chart.running()]
    assert sorted(used) == sorted(accounts)
    assert all(one["automountServiceAccountToken"] is False for one in accounts.values())


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    for wanted in selector.get("matchExpressions", []):
        assert wanted["operator"] == "In"
        if labels.get(wanted["key"]) not in wanted["values"]:
            return False
    labelled: Mapping[str, str] = selector.get("matchLabels", {})
    return labelled.items() <= labels.items()


def selector_of(manifest: Manifest) -> Mapping[str, Any]:
    spec = manifest["spec"]
    if manifest["kind"] == "Service":
        return {"matchLabels": spec["selector"]}
    selector: Mapping[str, Any] = spec["podSelector" if manifest["kind"] == "NetworkPolicy" else "selector"]
    return selector


def test_selectors_select_the_pods_of_their_component_alone(chart: Rendering) -> None:
    """Of all pods of the release, those of jobs and tests too."""
    kinds = ("Service", "Deployment", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy")
    manifests = [one for kind in kinds for one in chart.of(kind)]
    for manifest in (one for one in manifests if one["metadata"]["name"] != METRICS):
        found = {one.component for one in chart.workloads() if selects(selector_of(manifest), one.labels)}
        assert found == {manifest["metadata"]["labels"][COMPONENT]}, manifest["metadata"]["name"]


def test_services_end_at_ports_of_their_pods(chart: Rendering) -> None:
    for service in (one for one in chart.of("Service") if one["metadata"]["name"] != METRICS):
        pod = chart.running_one(service["metadata"]["labels"][COMPONENT])
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in pod.ports()


def test_only_the_gateway_and_the_relay_can_have_an_address_outside() -> None:
    outside = "--set=gateway.service.type=LoadBalancer"
    types = {
        one["metadata"]["name"]: one["spec"].get("type", "ClusterIP")
        for one in rendered("full", outside).of("Service")
    }
    closed = dict.fromkeys((f"{NAME}-{name}" for name in (*SERVICES, "recorder", "metrics")), "ClusterIP")
    assert types == closed | dict.fromkeys((f"{NAME}-gateway", f"{NAME}-relay"), "LoadBalancer")


def test_probes_ask_the_port_that_the_process_listens_on(chart: Rendering) -> None:
    for workload in chart.running():
        for container in workload.containers:
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            environment = chart.environment(container, _AnySecret())
            listens = int(environment["GREENROOM_PORT"])
            paths = {}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                if "httpGet" in container.get(kind, {}):
                    asked = container[kind]["httpGet"]
                    assert ports[asked["port"]] == listens
                    paths[kind] = asked["path"]
            assert paths["livenessProbe"] == "/healthz"
            if container["name"] == "rtmp":
                assert ports[container["readinessProbe"]["tcpSocket"]["port"]] == 1935
            else:
                assert paths["startupProbe"] == "/healthz"
                asked_for = "?exclude=rabbitmq&exclude=livekit" if workload.component in BEARING else ""
                assert paths["readinessProbe"] == f"/readyz{asked_for}"
                assert container["args"] == ["serve", workload.component]
                # A pod that stops is seen to be unready while it still serves.
                asked = container["readinessProbe"]
                delay = float(environment["GREENROOM_READINESS_DELAY_SECONDS"])
                assert asked["periodSeconds"] * asked["failureThreshold"] < delay


class _AnySecret(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def test_a_pod_goes_when_another_one_is_ready(chart: Rendering) -> None:
    for deployment in chart.of("Deployment"):
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_a_node_that_is_drained_takes_one_pod_at_a_time(chart: Rendering) -> None:
    budgets = {one["metadata"]["labels"][COMPONENT]: one["spec"] for one in chart.of("PodDisruptionBudget")}
    assert budgets.keys() == {one.component for one in chart.running()}
    assert all(budget["maxUnavailable"] == 1 for budget in budgets.values())


def test_what_scales_by_itself_has_no_number_of_pods() -> None:
    full = rendered("full")
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in full.of("HorizontalPodAutoscaler")}
    assert scaled == {f"{NAME}-{name}" for name in SERVICES}
    for workload in full.running():
        has_number = "replicas" in workload.manifest["spec"]
        assert has_number == (workload.manifest["metadata"]["name"] not in scaled)


@pytest.mark.parametrize("name", [*SERVICES, "recorder", "relay"])
def test_something_else_may_set_the_number_of_pods(name: str) -> None:
    chosen = f"recorder.enabled=true,relay.enabled=true,relay.publicUrl=rtmp://x/live,{name}.replicas=null"
    chart = rendered("default", f"--set={chosen}")
    assert [one.component for one in chart.running() if "replicas" not in one.manifest["spec"]] == [name]


def test_pods_are_spread_over_nodes_and_zones() -> None:
    for workload in rendered("default").running():
        spread = workload.pod["topologySpreadConstraints"]
        keys = {one["topologyKey"] for one in spread}
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        assert all(selects(one["labelSelector"], workload.labels) for one in spread)


def recorder(*arguments: str) -> Workload:
    return rendered("default", "--set=recorder.enabled=true", *arguments).running_one("recorder")


def test_a_recorder_s_spool_survives_it() -> None:
    claims = recorder().manifest["spec"]["volumeClaimTemplates"]
    (container,) = recorder().containers
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    spool = rendered("default", "--set=recorder.enabled=true").environment(container, _AnySecret())
    assert [claim["metadata"]["name"] for claim in claims] == ["data"]
    assert spool["GREENROOM_SPOOL"].startswith(f"{mounts['data']}/")


def test_a_recorder_s_spool_can_be_in_its_pod() -> None:
    pod = recorder("--set=recorder.spool.persistent=false")
    assert "volumeClaimTemplates" not in pod.manifest["spec"]
    assert {"name": "data", "emptyDir": {}} in pod.pod["volumes"]


def test_prometheus_reads_every_process() -> None:
    """By the port that each serves its metrics on."""
    full = rendered("full")
    service = full.named("Service", METRICS)
    (monitor,) = full.of("ServiceMonitor")
    monitored = [
        one for one in full.of("Service") if selects(monitor["spec"]["selector"], one["metadata"]["labels"])
    ]
    assert monitored == [service]
    ((endpoint,), (port,)) = monitor["spec"]["endpoints"], service["spec"]["ports"]
    fixed = {
        one["targetLabel"]: one["replacement"] for one in endpoint["relabelings"] if "replacement" in one
    }
    assert fixed == {"part_of": PART_OF}
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    for workload in full.running():
        assert selects(selector_of(service), workload.labels)
        environment = full.environment(workload.containers[0], _AnySecret())
        assert workload.ports()[port["targetPort"]] == int(environment["GREENROOM_METRICS_PORT"])


def test_a_prometheus_without_the_operator_finds_every_process_too() -> None:
    default = rendered("default")
    assert not default.of("ServiceMonitor")
    service = default.named("Service", METRICS)
    assert service["spec"]["clusterIP"] == "None"
    assert all(selects(selector_of(service), workload.labels) for workload in default.running())


def test_metrics_are_on_no_port_that_others_reach(chart: Rendering) -> None:
    for service in (one for one in chart.of("Service") if one["metadata"]["name"] != METRICS):
        assert "metrics" not in {port["targetPort"] for port in service["spec"]["ports"]}


def test_alerts_and_dashboards_are_those_of_the_files() -> None:
    full = rendered("full")
    (rules,) = full.of("PrometheusRule")
    assert rules["spec"] == yaml.safe_load((CHART / "files" / "alerts.yml").read_text())
    linked = rendered(
        "full", "--set=monitoring.prometheusRule.runbooksUrl=https://git.example.com/runbooks.md"
    )
    (rules,) = linked.of("PrometheusRule")
    links = {
        rule["annotations"]["runbook_url"] for group in rules["spec"]["groups"] for rule in group["rules"]
    }
    assert all(link.startswith("https://git.example.com/runbooks.md#greenroom") for link in links)
    made = {
        name: json.loads(content)
        for one in full.of("ConfigMap")
        if "grafana_dashboard" in one["metadata"]["labels"]
        for name, content in one["data"].items()
    }
    files = (CHART / "files" / "dashboards").glob("*.json")
    assert made == {file.name: json.loads(file.read_text()) for file in files}


def test_an_ingress_takes_what_the_gateway_takes() -> None:
    """Files of 100 MiB, neither buffered nor ended sooner than by the gateway. Each can be replaced."""
    annotations = {
        "proxy-body-size": "101m",
        "proxy-request-buffering": "off",
        "proxy-buffering": "off",
        "proxy-read-timeout": "310",
        "proxy-send-timeout": "310",
    }
    wanted = {f"nginx.ingress.kubernetes.io/{name}": value for name, value in annotations.items()}
    (ingress,) = rendered("default", "--set=ingress.enabled=true,ingress.host=a.example").of("Ingress")
    assert ingress["metadata"]["annotations"] == wanted
    (own,) = rendered("full").of("Ingress")
    assert own["metadata"]["annotations"] == wanted | {"nginx.ingress.kubernetes.io/proxy-body-size": "0"}


def test_clients_come_to_the_gateway() -> None:
    full = rendered("full")
    (ingress,), (route,) = full.of("Ingress"), full.of("HTTPRoute")
    service = full.named("Service", f"{NAME}-gateway")["spec"]["ports"]
    ((path,),) = (rule["http"]["paths"] for rule in ingress["spec"]["rules"])
    assert path["backend"]["service"] == {"name": f"{NAME}-gateway", "port": {"name": service[0]["name"]}}
    ((backend,),) = (rule["backendRefs"] for rule in route["spec"]["rules"])
    assert backend == {"name": f"{NAME}-gateway", "port": service[0]["port"]}
