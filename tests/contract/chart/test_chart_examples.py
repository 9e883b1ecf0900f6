"""The values that docs/operations/kubernetes.md shows are accepted, and its manifests name what is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from deploy.documents.chart import CHART
from tests.contract.chart.rendering import Manifest, helm

DOCUMENT = (Path(__file__).parents[3] / "docs" / "operations" / "kubernetes.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
VALUES = [example for example in EXAMPLES if example.startswith("# values.yaml\n")]


def rendered_with(values: str, folder: Path) -> list[Manifest]:
    """Under the release's name in the document."""
    file = folder / "values.yaml"
    file.write_text(values)
    done = helm("template", "greenroom", str(CHART), "--namespace", "greenroom", "-f", str(file))
    assert done.returncode == 0, f"{values}\n{done.stderr}"
    return [one for one in yaml.load_all(done.stdout, yaml.CSafeLoader) if one]


@pytest.mark.parametrize("values", VALUES)
def test_the_values_are_accepted(values: str, tmp_path: Path) -> None:
    assert rendered_with(values, tmp_path)


NOTES_AS_MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
    {{- tpl (.Files.Get "files/NOTES.txt") . | nindent 4 }}
"""


def notes_with(values: str, tmp_path: Path) -> str:
    """Helm 3 renders NOTES.txt with a cluster only, so it is rendered as a manifest here."""
    chart = shutil.copytree(CHART, tmp_path / "greenroom")
    (chart / "templates/NOTES.txt").rename(chart / "files/NOTES.txt")
    (chart / "templates/notes.yaml").write_text(NOTES_AS_MANIFEST)
    done = helm(
        *("template", "live", str(chart), "--namespace", "town", "--show-only", "templates/notes.yaml"),
        *("--set", values),
    )
    notes: str = yaml.safe_load(done.stdout)["data"]["notes"]
    return notes


def test_whoever_installs_it_is_told_where_it_is(tmp_path: Path) -> None:
    notes = notes_with(
        "publicUrl=https://live.example.com,livekit.publicUrl=wss://livekit.example.com", tmp_path
    )
    assert "https://live.example.com" in notes
    assert "wss://livekit.example.com" in notes
    assert "http://live-greenroom-egress.town:8080/webhooks/livekit" in notes
    assert "Secret live-greenroom-keys" in notes
    assert "trusted_proxies" not in notes


@pytest.mark.parametrize(
    "way",
    ["ingress.enabled=true,ingress.host=a.example", "httpRoute.enabled=true,httpRoute.parentRefs[0].name=a"],
)
def test_whoever_puts_a_proxy_before_it_is_told_to_name_the_proxy(way: str, tmp_path: Path) -> None:
    assert "trusted_proxies is not set" in notes_with(way, tmp_path / "without")
    named = notes_with(f"{way},gateway.settings.trusted_proxies=10.0.0.0/8", tmp_path / "with")
    assert "trusted_proxies" not in named


def test_each_example_is_yaml() -> None:
    kinds = [one["kind"] for example in EXAMPLES for one in yaml.safe_load_all(example) if "kind" in one]
    operators = ["PerconaServerMongoDB", "MongoDBCommunity", "RabbitmqCluster", "Redis"]
    assert kinds == [*operators, "ScaledObject", "ScaledObject"]
    assert len(VALUES) > 5


def test_what_the_examples_name_is_there(tmp_path: Path) -> None:
    """The scaled workloads, and the address of LiveKit's webhooks."""
    manifests = rendered_with("recorder: {enabled: true}", tmp_path)
    names = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    documents = [one for example in EXAMPLES for one in yaml.safe_load_all(example)]
    scaled = [one["spec"]["scaleTargetRef"] for one in documents if one.get("kind") == "ScaledObject"]
    assert scaled
    assert all((one["kind"], one["name"]) in names for one in scaled)
    servers = [one["livekit"] for one in documents if "rtc" in one.get("livekit", {})]
    (webhooks,) = (server["webhook"]["urls"] for server in servers)
    assert webhooks == ["http://greenroom-egress.greenroom:8080/webhooks/livekit"]
    assert ("Service", "greenroom-egress") in names
