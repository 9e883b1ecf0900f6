"""Each alert says how urgent it is and what to do, and each heading of the runbooks is an alert's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ALERTS = ROOT / "deploy/helm/greenroom/files/alerts.yml"
RUNBOOKS = "docs/operations/runbooks.md"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def headings() -> list[str]:
    return re.findall(r"^### (\w+)$", (ROOT / RUNBOOKS).read_text(), re.MULTILINE)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_its_runbook(rule: dict[str, Any]) -> None:
    assert rule["alert"] in headings()
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{rule['alert'].lower()}"
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"page", "warn"}


def test_runbooks_say_the_same_severity() -> None:
    urgent = re.findall(r"^### (\w+)\n\n`(\w+)`:", (ROOT / RUNBOOKS).read_text(), re.MULTILINE)
    assert dict(urgent) == {rule["alert"]: rule["labels"]["severity"] for rule in rules()}


def test_each_runbook_is_an_alert_s() -> None:
    assert headings() == [rule["alert"] for rule in rules()]
