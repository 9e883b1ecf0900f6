"""What hosts are shown of their sessions' journals: all that happened, and nothing that is private."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.session.journal.domain import JournalEntry
from services.session.journal.event_filter import EventFilter
from services.session.journal.event_views import VIEWS, shown_data
from services.session.journal.repository import JournalRepository
from services.session.journal.service import JournalService, journal_group
from shared.bus.codec import decode
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope
from shared.contracts.registry import event_classes
from shared.errors import Forbidden, NotFound
from shared.ids import connection_id, new_id
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.session.actors import Host, colleague, new_host, refused
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller

# Corrections and the engine's own affairs, which streams and recordings tell in words of their own.
INTERNAL = {
    "drift.repaired.v1",
    "egress.ended.v1",
    "egress.started.v1",
    "egress.updated.v1",
    "livekit_room.lost.v1",
    "session.call_refused.v1",
}
PRIVATE = {
    "identity",
    "key_id",
    "message",
    "question",
    "text",
    "hls_path",
    "description",
    "ingress_id",
    "banned",
    "roles",
    "stage",
    "organization_id",
}
POISON = "not to be seen"
SAMPLES = [
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[3] / "contract" / "events" / "samples").glob("*.json"))
]
SHOWN = [sample for sample in SAMPLES if sample["headers"]["ce-type"] in VIEWS]


def entry_of(sample: dict[str, Any]) -> JournalEntry:
    return JournalEntry.of(decode(sample["headers"], json.dumps(sample["data"]).encode()))


def poisoned(data: Any) -> Any:
    """The data with something else in all private fields."""
    if isinstance(data, list):
        return [poisoned(value) for value in data]
    if isinstance(data, dict):
        return {name: POISON if name in PRIVATE else poisoned(value) for name, value in data.items()}
    return data


def test_of_each_event_it_is_decided_whether_it_is_shown() -> None:
    group = journal_group(JournalService(JournalRepository(memory_mongo()), None, None))  # type: ignore[arg-type]
    assert {event.name for event in group.events} == VIEWS.keys() | INTERNAL


@pytest.mark.parametrize("name", VIEWS)
def test_what_is_shown_is_there(name: str) -> None:
    event, view = event_classes()[name], VIEWS[name]
    assert event.model_fields.keys() >= set(view.own)
    if view.within is not None:
        inner = event.model_fields[view.within].annotation
        assert inner is not None
        assert inner.model_fields.keys() >= set(view.fields)
    assert {*view.own, *view.fields} >= view.renamed.keys()


@pytest.mark.parametrize("sample", SHOWN, ids=lambda sample: sample["headers"]["ce-type"])
def test_nothing_private_is_shown(sample: dict[str, Any]) -> None:
    entry = entry_of(sample)
    shown = shown_data(replace(entry, data=poisoned(entry.data)))
    assert shown
    assert POISON not in json.dumps(shown)


def test_a_leave_says_who_left_and_when() -> None:
    [sample] = [
        one
        for one in SHOWN
        if one["headers"]["ce-type"] == "participant.left.v1"
        and one["data"]["connection"].get("external_user_id")
    ]
    connection = sample["data"]["connection"]
    assert shown_data(entry_of(sample)) == {
        "connection_id": connection_id(sample["data"]["session_id"], connection["participant_sid"]),
        "participant_sid": connection["participant_sid"],
        "user_id": connection["user_id"],
        "external_user_id": connection["external_user_id"],
        "name": connection["username"],
        "role": connection["role"],
        "joined_at": connection["joined_at"],
        "left_at": sample["data"]["occurred_at"],
        "reason": sample["data"]["reason"],
    }


async def test_only_the_sessions_host_reads_them(backend: Backend, host: Host) -> None:
    session = await host.session()
    journal = JournalService(JournalRepository(memory_mongo()), backend.access, backend.clock)
    counted = ViewersCounted(session_id=session.id, version=1, viewer_count=1, max_viewers=1)
    await journal.record([Envelope(id=new_id(), source="/x", time=backend.clock.now(), event=counted)])
    everything = EventFilter(names=VIEWS.keys())

    async def read(by: Any) -> Any:
        return await journal.read_as_host(session.id, by, everything, cursor=None, limit=5)

    [entry], following = await read(host.caller)
    assert (shown_data(entry), following) == ({"viewer_count": 1, "max_viewers": 1}, None)
    await refused("session_not_found", NotFound, read((await new_host(backend)).caller))
    await refused("not_the_host", Forbidden, read(await colleague(backend, host)))
    await refused("host_required", Forbidden, read(caller(organization_id=None)))
