"""Dashboards and alerts ask for what the running services export, and for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from deploy.documents.metrics import declared_metrics
from deploy.local.stack import Stack
from services.gateway.compat.hundred_ms.api import HUNDRED_MS
from services.gateway.compat.signalwire.api import SIGNALWIRE
from services.gateway.routing.table import TABLE
from tests.promql import Exports, ExpressionCheck
from tests.publishers.session import a_session

FILES = Path(__file__).parents[2] / "deploy/helm/greenroom/files"
JOBS = ("gateway", "session", "egress", "attendance", "recorder", "relay")
OPERATIONS = {f"{one.method} {one.path}" for one in TABLE} | {
    f"{one.method} {one.path}" for api in (HUNDRED_MS, SIGNALWIRE) for one in api.operations
}
# A counter and the one label that selects of it.
_COUNTED = re.compile(r'(\w+_total)\{(\w+)="(\w+)"\}')
# An id of ours, LiveKit's or a UUID, a stream key or a token: whatever has no end.
_UNBOUNDED = re.compile(r"[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}|\b(PA|RM|EG|IN|EV|TR)_\w{8}|@")


@pytest.fixture(scope="module")
async def texts(stack: Stack) -> dict[str, str]:
    """What each service says, after some traffic."""
    async with a_session(stack), aiohttp.ClientSession() as http:
        for path in ("/rooms", "/no/such/path", "/v2/rooms", "/hls/0123456789abcdef0123/live.m3u8"):
            async with http.get(stack.base_url + path):
                pass
        return {job: await _metrics(http, stack.processes[job].port) for job in JOBS}


async def _metrics(http: aiohttp.ClientSession, port: int) -> str:
    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        return await answer.text()


@pytest.fixture(scope="module")
def exports(texts: dict[str, str]) -> Exports:
    declared = {one.name: frozenset(one.labels) for one in declared_metrics()}
    made = Exports(declared, OPERATIONS)
    for job, text in texts.items():
        made.add(job, text)
    return made


def alert_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FILES / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


@pytest.mark.parametrize("path", sorted(FILES.glob("dashboards/*.json")), ids=lambda path: path.stem)
def test_a_dashboard_asks_for_what_is_exported(path: Path, exports: Exports) -> None:
    check = ExpressionCheck(exports)
    targets = [target for panel in panels(json.loads(path.read_text())) for target in panel["targets"]]
    assert len(targets) > 10
    for target in targets:
        check.names(target["legendFormat"], target["expr"])
    assert check.problems == []


def test_alerts_ask_for_what_is_exported(exports: Exports) -> None:
    check = ExpressionCheck(exports)
    for rule in alert_rules():
        for text in rule["annotations"].values():
            check.names(text, rule["expr"])
    assert check.problems == []


def test_what_an_alert_counts_is_there_from_the_start(texts: dict[str, str]) -> None:
    """Else the first of its kind would be no increase for Prometheus."""
    samples = [line for text in texts.values() for line in text.splitlines() if not line.startswith("#")]
    counted = [
        (name, label, value)
        for rule in alert_rules()
        for name, label, value in _COUNTED.findall(rule["expr"])
        if "increase(" in rule["expr"]
    ]
    assert len(counted) > 3
    for name, label, value in counted:
        assert any(line.startswith(f'{name}{{{label}="{value}"}}') for line in samples), (name, value)


def test_each_route_is_counted_under_its_own_name(texts: dict[str, str]) -> None:
    """Those of the foreign APIs as well; whatever is none counts together."""
    for operation in ("GET /rooms", "GET /v2/rooms", "GET /hls/{path:.+}", "unknown"):
        assert f'greenroom_http_request_seconds_count{{operation="{operation}",' in texts["gateway"]


def test_labels_have_no_ids(texts: dict[str, str]) -> None:
    """Whatever was called, and whoever took part."""
    for job, text in texts.items():
        labels = [line.rpartition("}")[0] for line in text.splitlines() if not line.startswith("#")]
        assert [line for line in labels if _UNBOUNDED.search(line)] == [], job
        assert "no/such/path" not in text


def test_each_process_says_what_it_is(texts: dict[str, str]) -> None:
    for job, text in texts.items():
        assert f'greenroom_build_info{{service="{job}",version="' in text
        assert "greenroom_ready 1.0" in text
        assert "process_resident_memory_bytes" in text
