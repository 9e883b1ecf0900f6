"""The alerts name metrics and labels that there are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from services.attendance import app as attendance
from services.egress import app as egress
from services.gateway import app as gateway
from services.recorder import app as recorder
from services.session import app as session

ALERTS = Path(__file__).parents[3] / "deploy/helm/greenroom/files/alerts.yml"
# Importing them registers what they measure.
SERVICES = (attendance, egress, gateway, recorder, session)
_METRIC = re.compile(r"greenroom_\w+")
_SUFFIXES = ("_total", "_bucket", "_count", "_sum")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def registered() -> set[str]:
    families = {family.name for family in REGISTRY.collect()}
    return families | {name + suffix for name in families for suffix in _SUFFIXES}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    asked = set(_METRIC.findall(rule["expr"]))
    assert asked
    assert asked <= registered()
    assert rule["annotations"]["summary"]


def test_dead_letters_are_alerted() -> None:
    assert any("greenroom_bus_dead_letters" in rule["expr"] for rule in rules())
