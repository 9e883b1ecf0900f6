"""Every webhook LiveKit has, as a real server sent it, and what it means to us."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.egress.webhooks.domain import TRANSLATIONS, happened_at, translate
from shared.clock import from_unix_ms
from shared.contracts.livekit_events import (
    Connection,
    EgressEnded,
    EgressStarted,
    EgressUpdated,
    IngressEnded,
    IngressStarted,
    LiveKitEvent,
    LiveKitRoomFinished,
    LiveKitRoomStarted,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
    TrackPublished,
    TrackUnpublished,
)
from shared.contracts.states import Role
from shared.livekit import WebhookEvent, parse
from shared.livekit.join_terms import JoinTerms

SAMPLES = Path(__file__).parent / "samples"
SESSION = "0192f0c1-7e7a-7000-8000-00000000a001"
USER = "0192f0c1-7e7a-7000-8000-0000000000"
LATE = timedelta(seconds=7)


def sample(name: str) -> WebhookEvent:
    return parse((SAMPLES / f"{name}.json").read_bytes())


def changed(name: str, **parts: object) -> WebhookEvent:
    return parse(json.dumps({**json.loads((SAMPLES / f"{name}.json").read_bytes()), **parts}).encode())


def second_of(webhook: WebhookEvent) -> datetime:
    return datetime.fromtimestamp(webhook.created_at, UTC)


def translated(name: str) -> LiveKitEvent | None:
    webhook = sample(name)
    return translate(webhook, second_of(webhook) + timedelta(milliseconds=321))


ROOM = "RM_NcLXVHtTHvNP"
VIEWER = Connection(
    participant_sid="PA_QWyykM9QgbDD",
    identity=f"{USER}02:{USER}f2",
    user_id=f"{USER}02",
    username='Vera: "Viewer" ☂',
    role=Role.AUDIENCE,
    joined_at=from_unix_ms(1795256371612),
)


def at(seconds: int, milliseconds: int = 321) -> datetime:
    return from_unix_ms(seconds * 1000 + milliseconds)


EXPECTED: dict[str, LiveKitEvent] = {
    "room_started": LiveKitRoomStarted(session_id=SESSION, occurred_at=at(1795256370, 761), room_sid=ROOM),
    "room_finished": LiveKitRoomFinished(session_id=SESSION, occurred_at=at(1795256374), room_sid=ROOM),
    "participant_joined": ParticipantJoined(
        session_id=SESSION, occurred_at=at(1795256371, 612), connection=VIEWER, room_sid=ROOM
    ),
    "participant_left": ParticipantLeft(
        session_id=SESSION,
        occurred_at=at(1795256373),
        connection=VIEWER,
        room_sid=ROOM,
        reason="client_initiated",
    ),
    "participant_connection_aborted": ParticipantConnectionAborted(
        session_id=SESSION,
        occurred_at=at(1795256372),
        connection=Connection(
            participant_sid="PA_HbnbfgKtuXdB",
            identity=f"{USER}05:{USER}f5",
            user_id=f"{USER}05",
            username="Aborter",
            role=Role.AUDIENCE,
            joined_at=at(1795256372, 117),
        ),
        room_sid=ROOM,
        reason="signal_close",
    ),
    "track_published": TrackPublished(
        session_id=SESSION,
        occurred_at=at(1795256371),
        participant_sid="PA_UX4pjcHLZazA",
        identity=f"{USER}01:{USER}f1",
        user_id=f"{USER}01",
        track_sid="TR_VCgbYNru3aetiL",
        type="video",
        source="camera",
    ),
    "track_unpublished": TrackUnpublished(
        session_id=SESSION,
        occurred_at=at(1795256372),
        participant_sid="PA_UX4pjcHLZazA",
        identity=f"{USER}01:{USER}f1",
        user_id=f"{USER}01",
        track_sid="TR_AMKVjnFx69EBfy",
        type="audio",
        source="microphone",
    ),
    "egress_started": EgressStarted(
        session_id=SESSION,
        occurred_at=at(1795258224, 578),
        egress_id="EG_Bk3nLwQxTz9v",
        status="starting",
        started_at=at(1795258224, 578),
    ),
    "egress_updated": EgressUpdated(
        session_id=SESSION,
        occurred_at=at(1795258224, 883),
        egress_id="EG_Bk3nLwQxTz9v",
        status="active",
        started_at=at(1795258224, 578),
    ),
    "egress_ended": EgressEnded(
        session_id=SESSION,
        occurred_at=at(1795258225, 512),
        egress_id="EG_Bk3nLwQxTz9v",
        status="complete",
        started_at=at(1795258224, 578),
        ended_at=at(1795258225, 512),
        segment_count=3,
    ),
    "egress_ended_failed": EgressEnded(
        session_id=SESSION,
        occurred_at=at(1795258225, 814),
        egress_id="EG_Fm7pRsYhKd2w",
        status="failed",
        error="Start signal not received",
        started_at=at(1795258225, 814),
        ended_at=at(1795258225, 814),
    ),
    "ingress_started": IngressStarted(
        session_id=SESSION, occurred_at=at(1795258223, 548), ingress_id="IN_pHCDg6Tk3SPc", status="publishing"
    ),
    "ingress_ended": IngressEnded(
        session_id=SESSION, occurred_at=at(1795258224, 576), ingress_id="IN_pHCDg6Tk3SPc", status="inactive"
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_webhook_means(name: str) -> None:
    assert translated(name) == EXPECTED[name]


def test_the_table_has_all_of_livekits_events_and_each_has_a_sample() -> None:
    assert set(TRANSLATIONS) == set(EXPECTED) - {"egress_ended_failed"}
    assert len(TRANSLATIONS) == 12


@pytest.mark.parametrize(
    ("name", "role", "hidden", "recorder", "kind"),
    [
        ("participant_joined_host", Role.HOST, False, False, "standard"),
        ("participant_joined_hidden", Role.MODERATOR, True, False, "standard"),
        ("participant_joined_recorder", Role.AUDIENCE, True, True, "standard"),
        ("participant_joined_ingress", Role.HOST, False, False, "ingress"),
    ],
)
def test_who_joined(name: str, role: Role, hidden: bool, recorder: bool, kind: str) -> None:
    event = translated(name)
    assert isinstance(event, ParticipantJoined)
    who = event.connection
    assert (who.role, who.hidden, who.recorder, who.kind) == (role, hidden, recorder, kind)


def test_an_ingress_speaks_for_its_host() -> None:
    event = translated("participant_joined_ingress")
    assert isinstance(event, ParticipantJoined)
    assert (event.connection.user_id, event.connection.username) == (f"{USER}01", "Ada Host")


def test_whoever_was_removed_left_for_that_reason() -> None:
    event = translated("participant_left_removed")
    assert isinstance(event, ParticipantLeft)
    assert event.reason == "participant_removed"


@pytest.mark.parametrize("room", ["", "a-room-of-somebody-else", "lobby"])
def test_rooms_that_are_no_session_mean_nothing(room: str) -> None:
    webhook = changed("participant_joined", room={"sid": "RM_1", "name": room})
    assert translate(webhook, second_of(webhook)) is None


def test_events_of_a_newer_livekit_mean_nothing() -> None:
    webhook = changed("participant_joined", event="participant_promoted")
    assert translate(webhook, second_of(webhook)) is None


def test_an_egress_in_a_state_of_a_newer_livekit_means_nothing() -> None:
    info = {"egressId": "EG_1", "roomName": SESSION, "status": "EGRESS_PAUSED"}
    assert translate(changed("egress_updated", egressInfo=info), at(1795258225)) is None


@pytest.mark.parametrize("event", [name for name in TRANSLATIONS if not name.startswith("room_")])
def test_an_event_without_what_it_is_about_means_nothing(event: str) -> None:
    bare = parse(json.dumps({"id": "EV_1", "event": event, "room": {"name": SESSION}}).encode())
    assert translate(bare, datetime.now(UTC)) is None


def test_a_webhook_in_time_tells_milliseconds_by_its_receipt() -> None:
    webhook = sample("participant_left")
    received = second_of(webhook) + timedelta(milliseconds=154)
    assert happened_at(webhook, received) == received


@pytest.mark.parametrize("away", [LATE, -LATE, timedelta(seconds=1), timedelta(milliseconds=-1)])
def test_a_late_webhook_or_another_clock_keeps_livekits_second(away: timedelta) -> None:
    webhook = sample("participant_left")
    assert happened_at(webhook, second_of(webhook) + away) == second_of(webhook)


def test_nobody_leaves_before_having_joined() -> None:
    webhook = changed("participant_left", createdAt="1795256371")
    event = translate(webhook, second_of(webhook) + LATE)
    assert isinstance(event, ParticipantLeft)
    assert event.occurred_at == event.connection.joined_at == from_unix_ms(1795256371612)


def test_an_older_livekit_tells_the_joining_in_seconds_or_not_at_all() -> None:
    participant = json.loads((SAMPLES / "participant_joined.json").read_bytes())["participant"]
    del participant["joinedAtMs"]
    webhook = changed("participant_joined", participant=participant)
    event = translate(webhook, second_of(webhook))
    assert isinstance(event, ParticipantJoined)
    assert event.occurred_at == from_unix_ms(1795256371000)
    del participant["joinedAt"]
    webhook = changed("participant_joined", participant=participant)
    event = translate(webhook, second_of(webhook) + timedelta(milliseconds=9))
    assert isinstance(event, ParticipantJoined)
    assert event.connection.joined_at == second_of(webhook) + timedelta(milliseconds=9)


def joined_with(attributes: dict[str, str]) -> Connection:
    """The connection of a participant who has these attributes."""
    participant = json.loads((SAMPLES / "participant_joined_host.json").read_bytes())["participant"]
    webhook = changed("participant_joined_host", participant={**participant, "attributes": attributes})
    event = translate(webhook, second_of(webhook))
    assert isinstance(event, ParticipantJoined)
    return event.connection


def test_a_connection_is_on_the_terms_of_its_token() -> None:
    terms = JoinTerms(external_user_id="c-1", remove_at=at(5), remove_after=60, ends_session=True)
    one = joined_with({"greenroom.role": "stage"} | terms.attributes)
    assert (one.external_user_id, one.remove_at, one.remove_after) == ("c-1", at(5), 60)
    assert (one.ends_session, joined_with({}).ends_session) == (True, False)


@pytest.mark.parametrize("attributes", [{}, {"greenroom.role": "emperor"}, {"greenroom.role": ""}])
def test_without_a_role_of_ours_it_is_the_audience(attributes: dict[str, str]) -> None:
    assert joined_with(attributes).role is Role.AUDIENCE


def test_an_egress_is_known_by_the_key_in_its_paths() -> None:
    key = "0192f0c17e7a7000800000000000e001"
    info = {
        "egressId": "EG_1",
        "roomName": SESSION,
        "status": "EGRESS_COMPLETE",
        "details": "1.2 s are missing in 1 place",
        "roomComposite": {"fileOutputs": [{"filepath": f"recordings/{SESSION}/{key}.mp4"}]},
        "fileResults": [
            {"filename": f"recordings/{SESSION}/{key}.mp4", "size": "2048", "duration": "1500000000"}
        ],
    }
    event = translate(changed("egress_ended", egressInfo=info), at(1795258225))
    assert isinstance(event, EgressEnded)
    assert (event.egress_key, event.details) == (key, "1.2 s are missing in 1 place")
    assert [(one.size, one.duration) for one in event.files] == [(2048, 1.5)]
    segments = {"segmentOutputs": [{"filenamePrefix": f"/out/hls/{SESSION}/{key}/segment"}]}
    event = translate(changed("egress_ended", egressInfo=info | {"roomComposite": segments}), at(1795258225))
    assert isinstance(event, EgressEnded)
    assert event.egress_key == key
