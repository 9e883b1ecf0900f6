"""`greenroom session` and `greenroom admin audit`: how their answers are shown."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import admin, session
from deploy.cli.admin import audit


def shown(at: str, **given: Any) -> dict[str, Any]:
    own: dict[str, Any] = {
        "id": at,
        "at": at,
        "kind": "event",
        "text": "Stream active",
        "operation": None,
        "actor": None,
        "actor_name": None,
        "occurred_at": None,
        "estimated": False,
        "cause": None,
        "gaps": [],
    }
    latencies = {"arrival": None, "journal": 15, "egress_start": None, "first_segment": None}
    return own | {"latencies": latencies | given.pop("latencies", {})} | given


CALL = shown(
    "2030-01-01T12:00:00Z", kind="command", text="Went live", operation="POST /start", actor_name="Hanna"
)
WEBHOOK = shown(
    "2030-01-01T12:00:01.250Z",
    kind="webhook",
    text="Ada joined",
    occurred_at="2030-01-01T12:00:01Z",
    latencies={"arrival": 250},
)
EFFECT = shown("2030-01-01T12:00:02Z", cause={"id": "1", "what": "POST /start", "milliseconds": 80})
REPAIR = shown(
    "2030-01-01T12:00:03Z", kind="repair", text="Repaired", estimated=True, gaps=[{"text": "No webhook came"}]
)
PAGES = {
    None: {"entries": [CALL, WEBHOOK], "note": None, "next_cursor": "2"},
    "2": {"entries": [EFFECT, REPAIR], "note": None, "next_cursor": None},
}


class Gateway:
    """Answers with two pages, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def call(self, method: str, path: str, *, query: dict[str, Any]) -> Any:
        self.asked.append(query)
        return PAGES[query["cursor"]]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()

    @asynccontextmanager
    async def administrator() -> AsyncIterator[Gateway]:
        yield made

    monkeypatch.setattr(session, "administrator", administrator)
    return made


def run(*arguments: str) -> str:
    result = CliRunner().invoke(session.app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_timeline_has_a_line_for_each_entry_and_gap(gateway: Gateway) -> None:
    text = " ".join(run("timeline", "s-1").split())
    parts = [
        "01-01 12:00:00.000 command Went live POST /start Hanna journal +15 ms",
        "01-01 12:00:01.250 webhook Ada joined LiveKit 01-01 12:00:01.000 arrived at most +250",
        "01-01 12:00:02.000 event Stream active ← POST /start +80 ms journal +15 ms",
        "gap No webhook came 01-01 12:00:03.000~ repair Repaired journal +15 ms",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_json_is_an_object_a_line_and_kinds_are_asked_for(gateway: Gateway) -> None:
    found = [json.loads(line) for line in run("timeline", "s-1", "--json", "--kind", "repair").splitlines()]
    assert found == [CALL, WEBHOOK, EFFECT, REPAIR]
    assert [asked["kind"] for asked in gateway.asked] == [["repair"], ["repair"]]


def test_why_has_a_line_for_each_finding_and_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = {"subject": "Stream", "text": "It failed [badly].", "details": ["A recorder died."]}
    monkeypatch.setattr(session, "call", lambda *_: {"findings": [finding]})
    assert run("why", "s-1") == "Stream: It failed [badly].\n  - A recorder died.\n"
    assert json.loads(run("why", "s-1", "--json")) == {"findings": [finding]}


def test_the_audit_log_shows_values_that_were_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {
        "at": "2030-01-01T12:00:00.000Z",
        "actor": "user:ada",
        "actor_name": "Ada",
        "operation": "PATCH /admin/users/{id}",
        "targets": ["u-1"],
        "fields": {"is_admin": True, "password": "(not kept)"},
        "outcome": "refused",
        "status": 403,
        "refusal": "admin_required",
        "client_address": "203.0.113.7",
    }
    asked: list[dict[str, Any]] = []

    def answer(method: str, path: str, **query: Any) -> Any:
        asked.append({"path": path, **query})
        return {"calls": [one], "next_cursor": "c-1"}

    monkeypatch.setattr(audit, "call", answer)
    result = CliRunner().invoke(admin.app, ["audit", "--target", "u-1", "--outcome", "refused"])
    text = " ".join(result.output.split())
    for part in (
        "Ada user:ada",
        "u-1",
        "is_admin=True, password",
        "refused 403 admin_required",
        "203.0.113.7",
    ):
        assert part in text
    assert "--cursor c-1" in text
    assert (asked[0]["path"], asked[0]["target"], asked[0]["outcome"]) == ("/admin/audit", "u-1", "refused")
