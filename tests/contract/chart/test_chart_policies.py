"""The network policies open what is meant, and nothing else."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.chart.rendering import COMPONENT, RELEASE, Manifest, Rendering, rendered
from tests.contract.chart.test_chart_manifests import selects

HTTP, METRICS, RTMP = 8080, 9090, 1935
ALL = ("gateway", "session", "egress", "attendance", "recorder", "relay")


class Peer:
    """Where a connection comes from: a pod in a namespace, or an address outside the cluster."""

    def __init__(self, namespace: str = "", labels: Mapping[str, str] | None = None, address: str = ""):
        self.namespace = {"kubernetes.io/metadata.name": namespace}
        self.labels = labels or {}
        self.address = address

    def is_in(self, peers: list[Mapping[str, Any]], own: str) -> bool:
        return not peers or any(self._is(peer, own) for peer in peers)

    def _is(self, peer: Mapping[str, Any], own: str) -> bool:
        if "ipBlock" in peer:
            inside = ipaddress.ip_network(peer["ipBlock"]["cidr"])
            return bool(self.address) and ipaddress.ip_address(self.address) in inside
        here = (
            selects(peer["namespaceSelector"], self.namespace)
            if "namespaceSelector" in peer
            else (self.namespace["kubernetes.io/metadata.name"] == own)
        )
        return not self.address and here and selects(peer.get("podSelector", {}), self.labels)


def component(name: str) -> Peer:
    labels = {"app.kubernetes.io/name": "greenroom", "app.kubernetes.io/instance": RELEASE, COMPONENT: name}
    return Peer("greenroom", labels)


OUTSIDE = Peer(address="198.51.100.7")
STRANGER = Peer("greenroom", {"app.kubernetes.io/name": "shop"})
# Another release of the same chart beside this one.
NEIGHBOUR = Peer("greenroom", {"app.kubernetes.io/instance": "other", COMPONENT: "gateway"})
LIVEKIT = Peer("media", {"app.kubernetes.io/name": "livekit-server"})
PROMETHEUS = Peer("monitoring", {"app.kubernetes.io/name": "prometheus"})
INGRESS = Peer("ingress-nginx", {})
NODE = Peer(address="10.0.3.4")


@pytest.fixture(scope="module")
def chart() -> Rendering:
    return rendered("default", "--set=recorder.enabled=true,relay.enabled=true,relay.publicUrl=rtmp://x/live")


def admits(chart: Rendering, name: str, peer: Peer, port: int = HTTP) -> bool:
    """Whether a pod of the component takes the connection: one that no policy selects takes any."""
    pod = chart.running_one(name)
    policies = [one for one in chart.of("NetworkPolicy") if selects(one["spec"]["podSelector"], pod.labels)]
    rules = [rule for policy in policies for rule in policy["spec"].get("ingress") or []]
    assert all("Ingress" in policy["spec"]["policyTypes"] for policy in policies)
    opened = [rule for rule in rules if port in ports_of(rule, pod.ports())]
    return not policies or any(peer.is_in(rule.get("from", []), "greenroom") for rule in opened)


def ports_of(rule: Manifest, named: Mapping[str, int]) -> set[int]:
    assert rule["ports"]
    return {named.get(port["port"], -1) for port in rule["ports"]}


def callers(chart: Rendering, name: str) -> set[str]:
    return {other for other in ALL if admits(chart, name, component(other))}


def test_everybody_reaches_the_gateway_and_nothing_else(chart: Rendering) -> None:
    for peer in (OUTSIDE, STRANGER, NEIGHBOUR, INGRESS):
        assert [name for name in ALL if admits(chart, name, peer)] == ["gateway"]


def test_services_are_reached_by_those_that_call_them(chart: Rendering) -> None:
    assert callers(chart, "session") == {"gateway", "egress", "attendance"}
    assert callers(chart, "egress") == {"gateway", "session", "recorder", "relay"}
    assert callers(chart, "attendance") == {"gateway"}
    assert callers(chart, "recorder") == set()
    assert callers(chart, "relay") == set()


def test_livekit_reaches_the_webhooks_alone(chart: Rendering) -> None:
    assert [name for name in ALL if admits(chart, name, LIVEKIT)] == ["gateway", "egress"]


def test_prometheus_reaches_metrics_alone(chart: Rendering) -> None:
    assert all(admits(chart, name, PROMETHEUS, METRICS) for name in ALL)
    assert [name for name in ALL if admits(chart, name, PROMETHEUS)] == ["gateway"]
    for peer in (OUTSIDE, STRANGER, INGRESS, LIVEKIT, *map(component, ALL)):
        assert not any(admits(chart, name, peer, METRICS) for name in ALL)


def test_encoders_reach_the_relay_s_rtmp_server_alone(chart: Rendering) -> None:
    assert [name for name in ALL if admits(chart, name, OUTSIDE, RTMP)] == ["relay"]


def test_who_reaches_it_can_be_narrowed() -> None:
    full = rendered("full")
    assert not admits(full, "gateway", OUTSIDE)
    assert not admits(full, "gateway", STRANGER)
    assert all(admits(full, "gateway", peer) for peer in (INGRESS, component("test")))
    assert admits(full, "egress", NODE)
    assert not admits(full, "egress", OUTSIDE)
    assert not admits(full, "egress", LIVEKIT)
    assert not admits(full, "relay", OUTSIDE, RTMP)
    assert admits(full, "relay", Peer(address="203.0.113.9"), RTMP)


def test_pods_may_call_those_that_admit_them() -> None:
    """What one side opens, the other one does, too, if connections outward are limited."""
    full = rendered("full")
    for caller in ALL:
        pod = full.running_one(caller)
        (policy,) = (
            one["spec"] for one in full.of("NetworkPolicy") if selects(one["spec"]["podSelector"], pod.labels)
        )
        assert "Egress" in policy["policyTypes"]
        allowed = {
            callee
            for callee in ALL
            for rule in policy["egress"]
            if "to" in rule and component(callee).is_in(rule["to"], "greenroom")
        }
        assert allowed == {callee for callee in ALL if caller in callers(full, callee)} - {caller}


def test_pods_reach_what_their_settings_name() -> None:
    """By the ports that services listen on usually."""
    full = rendered("full")
    databases = {"session", "egress", "attendance", "recorder"}
    wanted = {27017: databases, 5672: databases - {"recorder"}, 6379: {"gateway"}, 587: {"session"}}
    wanted |= {7880: {"session", "egress", "recorder", "relay"}, 53: set(ALL), 4318: set(ALL)}
    for port, components in wanted.items():
        allowed = {
            policy["metadata"]["labels"][COMPONENT]
            for policy in full.of("NetworkPolicy")
            if any(port == one["port"] for rule in policy["spec"]["egress"] for one in rule["ports"])
        }
        assert allowed - {"indexes"} == components, port


def test_without_policies_there_are_none() -> None:
    assert rendered("minimal").of("NetworkPolicy") == []
