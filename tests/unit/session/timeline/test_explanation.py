"""Why a session, its stream and its recordings ended, failed or have not started: each reason there is."""

from collections.abc import Callable
from typing import Any

import pytest

from services.session.journal.domain import JournalEntry
from services.session.journal.repository import JournalRepository
from services.session.sessions.domain.lifecycle import closer_joined, host_joined
from services.session.sessions.domain.session import Session
from services.session.timeline.explanation.facts import Explanation
from services.session.timeline.explanation.media import explain_media
from services.session.timeline.explanation.problems import MEANINGS, meaning_of
from services.session.timeline.explanation.service import ExplanationService
from services.session.timeline.explanation.session_end import explain_session
from shared.contracts.livekit_events import Connection, EgressUpdated, LiveKitRoomFinished, ParticipantJoined
from shared.contracts.reconciler_events import DriftRepaired
from shared.contracts.session_events import (
    SessionCallRefused,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)
from shared.contracts.states import (
    EndReason,
    RecordingStatus,
    Role,
    RoomOptions,
    SessionMode,
    StreamRequest,
    StreamStatus,
)
from shared.contracts.stream_and_recording_events import RecordingChanged, RecordingDeleted, StreamChanged
from shared.egress.keys import key_of
from shared.egress.problems import EgressProblem
from tests.unit.session.backend import Backend
from tests.unit.session.builders import HOST, LIMITS, T0, live_session, session
from tests.unit.session.timeline.journals import at, entry, facts, left, recording, repaired, stream

AUTOMATIC = RoomOptions(auto_session=True)
END = "POST /sessions/{id}/end"


def ended(reason: EndReason, **given: Any) -> Session:
    one = live_session(options=AUTOMATIC if reason is EndReason.EMPTY else RoomOptions())
    one.end(at(70), reason, **given)
    return one


def of_end(one: Session, **given: Any) -> JournalEntry:
    return entry(SessionEnded(session=one.state()), 70, **given)


def by_host() -> tuple[Explanation, str]:
    one = ended(EndReason.HOST)
    return explain_session(facts(one, of_end(one, by=END))), (
        "It was ended at 2030-01-01 12:01:10 UTC by Hanna with POST /sessions/{id}/end."
    )


def empty() -> tuple[Explanation, str]:
    one = ended(EndReason.EMPTY)
    return explain_session(facts(one, entry(left(one, 65), 65), of_end(one))), (
        "with its last participant: Hanna (host) left at 2030-01-01 12:01:05 UTC (connection_timeout)."
    )


def member_left() -> tuple[Explanation, str]:
    one = ended(EndReason.MEMBER_LEFT)
    gone = entry(left(one, 64, username="Ada", role=Role.AUDIENCE, ends_session=True), 64)
    return explain_session(facts(one, gone, entry(left(one, 66), 66), of_end(one))), (
        "somebody left with whom it ends: Ada (audience) left at 2030-01-01 12:01:04 UTC"
    )


def no_host() -> tuple[Explanation, str]:
    one = ended(EndReason.NO_HOST)
    return explain_session(facts(one, entry(left(one, 10), 10), of_end(one))), (
        "no host had been there for 60 s: the last, Hanna (host) left at 2030-01-01 12:00:10 UTC"
    )


def max_duration() -> tuple[Explanation, str]:
    one = ended(EndReason.MAX_DURATION)
    return explain_session(facts(one, of_end(one))), "no session may last longer than 12 h"


def room_lost() -> tuple[Explanation, str]:
    one = ended(EndReason.ROOM_LOST, at=at(40), estimated=True)
    return explain_session(facts(one, entry(repaired(one, "room_lost"), 69), of_end(one))), (
        "no LiveKit server had its room any longer, which was found at 2030-01-01 12:01:10 UTC"
    )


CASES: dict[EndReason, Callable[[], tuple[Explanation, str]]] = {
    EndReason.HOST: by_host,
    EndReason.EMPTY: empty,
    EndReason.MEMBER_LEFT: member_left,
    EndReason.NO_HOST: no_host,
    EndReason.MAX_DURATION: max_duration,
    EndReason.ROOM_LOST: room_lost,
}


@pytest.mark.parametrize("reason", EndReason)
def test_each_end_has_its_reason(reason: EndReason) -> None:
    finding, words = CASES[reason]()
    assert words in finding.text
    assert (finding.status, finding.reason) == ("ended", reason.value)


def test_an_end_by_a_deleted_room_names_no_call() -> None:
    one = ended(EndReason.HOST)
    finding = explain_session(facts(one, of_end(one)))
    assert "because its room was deleted" in finding.text
    assert finding.by is None


def test_a_room_that_livekit_closed_was_not_lost() -> None:
    one = ended(EndReason.ROOM_LOST)
    closed = entry(LiveKitRoomFinished(session_id=one.id, occurred_at=at(69), room_sid="RM_1"), 69)
    finding = explain_session(facts(one, closed, of_end(one)))
    assert "LiveKit closed its room at 2030-01-01 12:01:09 UTC" in finding.text
    assert not finding.estimated


def test_a_host_who_never_came_and_one_whose_leave_was_not_reported() -> None:
    never = ended(EndReason.NO_HOST)
    assert "none had joined since it went live" in explain_session(facts(never, of_end(never))).text
    lost = live_session()
    host_joined(lost, "PA_1", T0, LIMITS)
    lost.hosts["PA_1"].left_at = at(10)
    lost.end(at(70), EndReason.NO_HOST)
    repair = entry(repaired(lost, "missed_leave", username="Hanna", identity="x:y"), 20)
    finding = explain_session(facts(lost, repair, of_end(lost)))
    assert "the last was seen at 2030-01-01 12:00:10 UTC; no webhook reported that they left" in finding.text
    assert finding.details[0].startswith("Repaired at 2030-01-01 12:00:20 UTC: missed_leave of Hanna")


def test_estimated_ends_say_so() -> None:
    one = ended(EndReason.ROOM_LOST, at=at(40), estimated=True)
    finding = explain_session(facts(one, of_end(one)))
    assert (finding.estimated, finding.at) == (True, at(40))
    assert "Its end is estimated: LiveKit did not report it." in finding.details


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "it waits for POST /sessions/{id}/start or /go_live of its host"),
        ({"mode": SessionMode.RTMP}, "it waits for its encoder"),
        ({"options": AUTOMATIC}, "it waits for its first participant"),
    ],
)
def test_what_a_scheduled_session_waits_for(given: dict[str, Any], words: str) -> None:
    one = session(due_at=at(600), **given)
    finding = explain_session(facts(one))
    assert words in finding.text
    assert "It expires at 2030-01-01 12:10:00 UTC" in finding.text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"scheduled_start_time": T0}, "not_started_in_time"),
        ({"options": AUTOMATIC}, "nobody_joined"),
        ({"options": AUTOMATIC, "closed_at": at(5)}, "room_disabled"),
    ],
)
def test_why_it_expired(given: dict[str, Any], reason: str) -> None:
    one = session(**given)
    one.expire(at(70))
    finding = explain_session(facts(one, entry(SessionExpired(session=one.state()), 70)))
    assert finding.reason == reason
    assert finding.text.startswith("It expired at 2030-01-01 12:01:10 UTC")


def test_what_would_end_a_live_session_and_when() -> None:
    one = live_session()
    started = entry(SessionStarted(session=one.state()), by="POST /sessions/{id}/go_live")
    finding = explain_session(facts(one, started))
    assert "started by Hanna with POST /sessions/{id}/go_live" in finding.text
    assert "It ends at 2030-01-01 12:01:00 UTC unless a host joins" in finding.details[1]
    assert any("2030-01-02 00:00:00 UTC at the latest" in detail for detail in finding.details)
    host_joined(one, "PA_1", at(5), LIMITS)
    assert "60 s after its last host leaves" in explain_session(facts(one, started)).details[1]


def test_what_would_end_an_automatic_session() -> None:
    one = live_session(options=AUTOMATIC)
    assert "when its last participant leaves" in explain_session(facts(one)).details[1]
    one.emptied_at = at(5)
    assert "at 2030-01-01 12:01:05 UTC unless anybody joins" in explain_session(facts(one)).details[1]
    closer = Connection(
        participant_sid="PA_2",
        identity="x:y",
        user_id=HOST,
        username="Ada",
        role=Role.AUDIENCE,
        joined_at=T0,
        ends_session=True,
    )
    closer_joined(one, closer, None, LIMITS)
    assert "when one of 1 people leaves" in explain_session(facts(one)).details[2]
    one.closers[HOST]["PA_2"].leave(at(8))
    assert "It ends at 2030-01-01 12:00:13 UTC" in explain_session(facts(one)).details[2]


def test_a_deleted_session_says_by_whom() -> None:
    one = ended(EndReason.HOST)
    deleted = entry(SessionDeleted(session=one.state()), 90, by="DELETE /sessions/{id}")
    finding = explain_session(facts(one, of_end(one, by=END), deleted, deleted=True))
    assert finding.status == "deleted"
    assert finding.details == [
        "It was deleted at 2030-01-01 12:01:30 UTC by Hanna with DELETE /sessions/{id}."
    ]


def test_a_session_older_than_its_journal_says_what_is_not_known() -> None:
    finding = explain_session(facts(ended(EndReason.HOST)))
    assert "the call is no longer in the journal" in finding.text
    assert "Its journal is no longer kept: who did what is not known." in finding.details


def test_nobody_is_named_whose_call_is_not_in_the_journal() -> None:
    one = live_session()
    changed = entry(SessionUpdated(session=one.state()), 5, by="PATCH /sessions/{id}")
    finding = explain_session(facts(one, changed))
    assert finding.text.endswith("; who started it is not in its journal.")
    assert finding.by is None
    deleted = explain_session(facts(one, changed, deleted=True))
    assert "It was deleted; when and by whom is not in its journal." in deleted.details


class NoProblems:
    async def of(self, session_id: str) -> list[str]:
        return []


async def test_what_recurs_does_not_hide_who_started_it(backend: Backend) -> None:
    """Neither thousands of changes nor of refused calls."""
    one = live_session()
    await backend.sessions.add(one, [])
    started = entry(SessionStarted(session=one.state()), by="POST /sessions/{id}/go_live")
    refused = SessionCallRefused(session_id=one.id, status=409, code="room_busy")
    changed = SessionUpdated(session=one.state())
    journal = JournalRepository(backend.mongo)
    again = [entry(event, 1 + n / 1000, by="PATCH /x") for event in (refused, changed) for n in range(2001)]
    await journal.add([started, *again])
    service = ExplanationService(
        journal, backend.sessions, backend.users, NoProblems(), LIMITS, backend.clock
    )
    assert "with POST /sessions/{id}/go_live" in (await service.explain(one.id))[0].text


def test_refused_calls_of_its_staff_are_told() -> None:
    one = session()
    refused = SessionCallRefused(session_id=one.id, status=409, code="room_busy")
    finding = explain_session(facts(one, entry(refused, 5, by="POST /sessions/{id}/start")))
    assert finding.details == [
        "Refused at 2030-01-01 12:00:05 UTC: Hanna with POST /sessions/{id}/start: room_busy (409)."
    ]


def streaming(**given: Any) -> Session:
    return live_session(stream=StreamRequest(wanted=True, attempt=1), **given)


def of_stream(one: Session, status: StreamStatus, error: str | None = None, **given: Any) -> Explanation:
    known = {name: given.pop(name) for name in ("problems",) if name in given}
    changed = entry(StreamChanged(stream=stream(one, status, error, **given)), 30)
    return explain_media(facts(one, changed, **known))[0]


STREAMS: dict[StreamStatus, tuple[dict[str, Any], str]] = {
    StreamStatus.NONE: ({}, "It ended with its session"),
    StreamStatus.STARTING: ({"problems": ["No recorder runs"]}, "start `greenroom recorder`"),
    StreamStatus.ACTIVE: ({"playable_at": at(8)}, "It plays since 2030-01-01 12:00:08 UTC"),
    StreamStatus.ENDING: ({}, "It ended with its session"),
    StreamStatus.ENDED: ({"error": EgressProblem.STORAGE_FULL}, "the storage had no room left"),
    StreamStatus.FAILED: ({"error": EgressProblem.ENDED_BY_ITSELF}, "ensure_hls_egress"),
}


@pytest.mark.parametrize("status", StreamStatus)
def test_each_state_of_a_stream_says_why(status: StreamStatus) -> None:
    given, words = STREAMS[status]
    finding = of_stream(streaming(), status, **given)
    assert words in finding.text
    assert finding.status == status.value


def test_a_stream_that_is_not_there() -> None:
    assert explain_media(facts(live_session()))[0].reason == "not_wanted"
    begun = explain_media(facts(streaming(), problems=None))[0]
    assert (begun.reason, "it does not answer" in begun.text) == ("not_begun", True)


def test_a_stream_that_starts_without_a_worker_or_a_segment() -> None:
    worker = "LiveKit has not begun it in time: no egress worker seems to run, or to be free"
    assert of_stream(streaming(), StreamStatus.STARTING, worker).reason == "no_worker"
    busy = of_stream(streaming(), StreamStatus.STARTING, problems=["All recorders are busy"])
    assert busy.reason == "no_worker"
    assert "its first segment has not come yet" in of_stream(streaming(), StreamStatus.ACTIVE).text
    away = of_stream(streaming(), StreamStatus.STARTING, problems=None)
    assert "The egress service does not answer" in away.details[0]


def test_a_stream_that_broke_off_and_goes_on() -> None:
    finding = of_stream(
        streaming(),
        StreamStatus.STARTING,
        broke_off_at=at(20),
        broke_off_error=EgressProblem.WORKER_DIED,
    )
    assert "It broke off at 2030-01-01 12:00:20 UTC" in finding.text
    assert finding.reason == "worker_died"


def test_whose_call_stopped_the_stream() -> None:
    one = streaming()
    wanted = entry(SessionUpdated(session=one.state()), 5, by="POST /sessions/{id}/go_live")
    one.stream = StreamRequest(wanted=False, attempt=1)
    off = entry(SessionUpdated(session=one.state()), 25, by="POST /sessions/{id}/stop_hls")
    renamed = entry(SessionUpdated(session=one.state()), 27, by="PATCH /sessions/{id}")
    over = entry(StreamChanged(stream=stream(one, StreamStatus.ENDED)), 30)
    finding = explain_media(facts(one, wanted, off, renamed, over))[0]
    assert finding.by == "Hanna with POST /sessions/{id}/stop_hls"
    assert finding.reason == "stopped"


def test_changes_of_the_same_moment_keep_their_order() -> None:
    one = streaming()
    wanted = entry(SessionUpdated(session=one.state()), 25, by="POST /sessions/{id}/go_live")
    one.stream = StreamRequest(wanted=False, attempt=1)
    off = entry(SessionUpdated(session=one.state()), 25, by="POST /sessions/{id}/stop_hls")
    over = entry(StreamChanged(stream=stream(one, StreamStatus.ENDED)), 30)
    assert explain_media(facts(one, wanted, off, over))[0].by == "Hanna with POST /sessions/{id}/stop_hls"


@pytest.mark.parametrize("problem", EgressProblem)
def test_each_error_of_a_recording_is_explained(problem: EgressProblem) -> None:
    one = live_session()
    failed = recording(one, RecordingStatus.FAILED, problem.value)
    finding = explain_media(facts(one, entry(RecordingChanged(recording=failed), 40)))[1]
    assert finding.reason == problem.name.lower()
    assert MEANINGS[problem] in finding.text
    assert problem.value in finding.text


def test_the_engines_own_words_stay() -> None:
    assert meaning_of("gstreamer: pipeline frozen").reason == "other"
    one = live_session()
    failed = recording(one, RecordingStatus.FAILED, "gstreamer: pipeline frozen")
    finding = explain_media(facts(one, entry(RecordingChanged(recording=failed), 40)))[1]
    assert "'gstreamer: pipeline frozen'" in finding.text


def test_a_recording_that_broke_off_was_retried_or_deleted() -> None:
    one = live_session()
    failed = recording(one, RecordingStatus.FAILED, EgressProblem.WORKER_DIED, continued_by="R2")
    retried = failed.model_copy(update={"retry_count": 1, "status": RecordingStatus.RECORDING})
    changed = entry(RecordingChanged(recording=failed), 40)
    again = entry(RecordingChanged(recording=retried), 45, by="POST /admin/recordings/{id}/retry")
    deleted = entry(RecordingDeleted(recording=failed), 50, by="DELETE /recordings/{id}")
    finding = explain_media(facts(one, changed, again, deleted))[1]
    assert finding.status == "deleted"
    assert finding.details == [
        "Part 2 goes on with it: recording R2.",
        "Its file was asked for again at 2030-01-01 12:00:45 UTC by Hanna with POST "
        "/admin/recordings/{id}/retry.",
        "It was deleted at 2030-01-01 12:00:50 UTC by Hanna with DELETE /recordings/{id}.",
    ]


def test_a_recording_that_runs_stops_or_is_complete() -> None:
    one = live_session()
    running = recording(one, RecordingStatus.RECORDING)
    changed = entry(RecordingChanged(recording=running), 1)
    assert "has not started" in explain_media(facts(one, changed))[1].text
    waits = explain_media(facts(one, changed, problems=["No recorder runs"]))[1]
    assert waits.reason == "no_worker"
    started = entry(
        EgressUpdated(
            session_id=one.id,
            occurred_at=at(3),
            egress_id="EG_1",
            status="active",
            egress_key=key_of(running.id),
            started_at=at(3),
        ),
        3,
    )
    assert "since 2030-01-01 12:00:03 UTC" in explain_media(facts(one, changed, started))[1].text
    stopping = running.model_copy(update={"stop_requested_at": at(20)})
    asked = entry(RecordingChanged(recording=stopping), 20, by="POST /sessions/{id}/recordings/stop")
    assert "its file is being made" in explain_media(facts(one, changed, asked))[1].text
    size = {"status": RecordingStatus.COMPLETED, "duration": 17, "file_size": 592238}
    done = entry(RecordingChanged(recording=stopping.model_copy(update=size)), 22)
    finding = explain_media(facts(one, changed, asked, done))[1]
    assert (
        "(0:00:17, 592,238 bytes): stopped by Hanna with POST /sessions/{id}/recordings/stop" in finding.text
    )


def test_a_recorder_that_joined_again_is_told() -> None:
    one = streaming()
    recorder = left(one, 1, username="Recorder", recorder=True).connection
    joins = [
        entry(ParticipantJoined(session_id=one.id, occurred_at=at(2), connection=recorder), moment)
        for moment in (2, 25)
    ]
    ended = recording(one, RecordingStatus.COMPLETED, "9.5 s are missing in 1 place")
    over = [
        entry(StreamChanged(stream=stream(one, StreamStatus.ENDED)), 30),
        entry(RecordingChanged(recording=ended), 31),
    ]
    of_stream, of_recording = explain_media(facts(one, *joins, *over))
    assert of_stream.details == [
        "A recorder joined again at 2030-01-01 12:00:25 UTC: one had died, or LiveKit had lost the room."
    ]
    assert "Incomplete: '9.5 s are missing in 1 place', which means that its recorder" in of_recording.text


def test_repairs_of_a_stream_are_told_with_it() -> None:
    one = streaming()
    changed = entry(StreamChanged(stream=stream(one, StreamStatus.ENDED)), 30)
    repair: DriftRepaired = repaired(one, "egress", believed="egress active", observed="the engine has none")
    finding = explain_media(facts(one, changed, entry(repair, 31)))[0]
    assert finding.details == [
        "Repaired at 2030-01-01 12:00:31 UTC, since no event reported it: expected egress active, found the "
        "engine has none."
    ]
