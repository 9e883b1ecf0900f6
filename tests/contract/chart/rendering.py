"""The chart as `helm template` renders it, and what a pod of it gets to see."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.documents.chart import CHART

Manifest = dict[str, Any]

RELEASE, NAMESPACE = "live", "greenroom"
NAME = f"{RELEASE}-greenroom"
VALUES = ("default", "minimal", "full")
COMPONENT = "app.kubernetes.io/component"
# Of the package helm-binary, in the environment.
HELM = Path(sys.executable).with_name("helm")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HELM), *arguments], capture_output=True, text=True, check=False)


def values_file(name: str) -> Path:
    return CHART / "ci" / f"{name}-values.yaml"


def template(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`helm template` with one of the files of values in ci/."""
    return helm(
        "template", RELEASE, str(CHART), "--namespace", NAMESPACE, "-f", str(values_file(name)), *arguments
    )


@dataclass(frozen=True)
class Workload:
    """A pod's template, and what makes pods of it."""

    kind: str
    manifest: Manifest
    template: Manifest

    @property
    def component(self) -> str:
        return str(self.labels[COMPONENT])

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def pod(self) -> Manifest:
        spec: Manifest = self.template["spec"]
        return spec

    @property
    def containers(self) -> list[Manifest]:
        containers: list[Manifest] = self.pod["containers"]
        return containers

    def ports(self) -> dict[str, int]:
        return {
            port["name"]: port["containerPort"] for one in self.containers for port in one.get("ports", [])
        }


@dataclass(frozen=True)
class Rendering:
    manifests: tuple[Manifest, ...]

    def of(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def named(self, kind: str, name: str) -> Manifest:
        (found,) = (one for one in self.of(kind) if one["metadata"]["name"] == name)
        return found

    def workloads(self) -> list[Workload]:
        found = [
            Workload(manifest["kind"], manifest, manifest["spec"]["template"])
            for kind in ("Deployment", "StatefulSet", "Job")
            for manifest in self.of(kind)
        ]
        return [*found, *(Workload("Pod", manifest, manifest) for manifest in self.of("Pod"))]

    def running(self) -> list[Workload]:
        """Those that stay."""
        return [one for one in self.workloads() if one.kind in {"Deployment", "StatefulSet"}]

    def running_one(self, component: str) -> Workload:
        (found,) = (one for one in self.running() if one.component == component)
        return found

    def secrets(self) -> dict[str, dict[str, str]]:
        """Secret -> key -> value."""
        return {
            one["metadata"]["name"]: {
                key: base64.b64decode(value, validate=True).decode() for key, value in one["data"].items()
            }
            for one in self.of("Secret")
        }

    def environment(self, container: Manifest, others: Mapping[str, str]) -> dict[str, str]:
        """What Kubernetes gives a container; `others` are keys of Secrets that the chart does not make."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            found |= self.named("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in container.get("env", []):
            value = self._value(variable, found, others)
            if value is not None:
                found[variable["name"]] = value
        return found

    def _value(self, variable: Manifest, before: Mapping[str, str], others: Mapping[str, str]) -> str | None:
        if "value" in variable:
            return re.sub(r"\$\((\w+)\)", lambda name: before.get(name[1], name[0]), str(variable["value"]))
        wanted = variable["valueFrom"]["secretKeyRef"]
        secret = self.secrets().get(wanted["name"], others)
        return secret.get(wanted["key"]) if wanted.get("optional") else secret[wanted["key"]]


@cache
def rendered(name: str, *arguments: str) -> Rendering:
    """Raises AssertionError with helm's words."""
    done = template(name, *arguments)
    assert done.returncode == 0, done.stderr
    return Rendering(tuple(_documents(done.stdout)))


def _documents(text: str) -> Iterator[Manifest]:
    return (document for document in yaml.load_all(text, yaml.CSafeLoader) if document)
