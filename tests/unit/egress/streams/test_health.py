"""What is said of a stream, and why."""

from dataclasses import replace
from typing import Any

import pytest

from services.egress.streams.schemas import StreamHealthResponse, stream_health_response
from shared.contracts.states import Role, SessionState, UserRole
from shared.egress.engine import EgressStatus
from shared.errors import Forbidden, NotFound
from shared.ids import new_id
from shared.livekit import LiveKitParticipant, LiveKitTrack
from shared.livekit.ports import IngressAudio, IngressInput, IngressVideo
from tests.unit.egress.reconciler.builders import HOST, grant
from tests.unit.egress.streams.fixture import Replica, host_of


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


def publish(replica: Replica, session: SessionState, *tracks: LiveKitTrack) -> None:
    """The host is there with these tracks."""
    joined = replica.livekit.connect(grant(session, HOST, Role.HOST))
    fields: dict[str, Any] = vars(joined) | {"tracks": tracks}
    replica.livekit.participants[session.id][joined.identity] = LiveKitParticipant(**fields)


CAMERA = LiveKitTrack("TR_1", "video", "camera", muted=False, width=1280, height=720)
MUTED = LiveKitTrack("TR_2", "audio", "microphone", muted=True)


async def health(replica: Replica, session: SessionState) -> StreamHealthResponse:
    return stream_health_response(await replica.parts.health.of(session.id, host_of(session), None))


async def running(replica: Replica) -> SessionState:
    """A stream that is well."""
    session = await replica.go_live()
    publish(replica, session, CAMERA, MUTED)
    await replica.work()
    await replica.active()
    [egress] = await replica.planned(session)
    for n in range(3):
        await replica.segment(session, egress.id, n)
        replica.clock.advance(seconds=2)
    await replica.work(1)
    return session


async def test_a_stream_that_is_well(replica: Replica) -> None:
    session = await running(replica)
    found = await health(replica, session)
    assert (found.status, found.egress.status, found.egress.reasons) == ("healthy", "active", [])
    assert (found.egress.bitrate_kbps, found.egress.segment_count) == (400, 3)
    assert found.egress.last_segment_age == 1.0
    assert [(one.source, one.participant_identity, one.width) for one in found.tracks] == [
        ("camera", HOST, 1280),
        ("microphone", HOST, None),
    ]
    assert found.room is not None
    assert (found.room.name, found.ingress) == (session.id, None)


async def test_who_is_hidden_is_not_counted(replica: Replica) -> None:
    """Above all our own recorder."""
    session = await running(replica)
    recorder = replica.livekit.connect(replace(grant(session, "EG_0000", Role.AUDIENCE), hidden=True))
    assert recorder.permissions.hidden
    found = await health(replica, session)
    assert found.room is not None
    assert found.room.num_participants == 1


async def test_a_session_without_a_stream(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    found = await health(replica, session)
    assert (found.status, found.egress.status, found.egress.egress_id) == ("idle", "none", None)


async def test_what_livekit_may_not_know_yet_is_not_told(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    early = await health(replica, session)
    assert early.room is not None
    assert (early.room.num_participants, early.tracks) == (None, [])
    assert (early.egress.width, early.egress.frame_rate, early.egress.bitrate_kbps) == (None, None, None)
    replica.clock.advance(seconds=10)
    later = await health(replica, session)
    assert later.room is not None
    assert (later.room.num_participants, later.tracks) == (0, [])
    publish(replica, session, CAMERA)
    now = await health(replica, session)
    assert now.room is not None
    assert now.room.num_participants == 1


async def test_nobody_is_missed_in_a_room_that_is_new(replica: Replica) -> None:
    session = await replica.go_live()
    early = await health(replica, session)
    assert (early.status, early.egress.reasons) == ("degraded", ["The stream is starting"])
    replica.clock.advance(seconds=10)
    assert "Nobody is sending picture or sound" in (await health(replica, session)).egress.reasons


async def test_a_stream_is_not_healthy_before_there_is_something_to_play(replica: Replica) -> None:
    """LiveKit Egress is active for some seconds before its first playlist."""
    session = await replica.go_live()
    publish(replica, session, CAMERA)
    await replica.work()
    await replica.active()
    found = await health(replica, session)
    assert (found.status, found.egress.status) == ("degraded", "active")
    assert found.egress.reasons == ["The first segment has not come yet"]


async def test_segments_that_stop_coming(replica: Replica) -> None:
    session = await running(replica)
    replica.clock.advance(seconds=8)
    assert (await health(replica, session)).status == "degraded"
    replica.clock.advance(seconds=30)
    found = await health(replica, session)
    assert (found.status, found.egress.reasons) == ("unhealthy", ["No segment has come for 39 s"])


async def test_an_engine_that_is_not_there(replica: Replica) -> None:
    replica.engine.reports = "No recorder runs"
    session = await replica.go_live()
    await replica.work()
    found = await health(replica, session)
    assert found.status == "unhealthy"
    assert found.egress.reasons == [
        "No recorder runs",
        "The stream is starting",
    ]


async def test_a_start_without_an_answer(replica: Replica) -> None:
    replica.engine.loses = 1
    session = await replica.go_live()
    publish(replica, session, CAMERA)
    await replica.work()
    found = await health(replica, session)
    assert (found.status, found.egress.status) == ("unhealthy", "starting")
    assert found.egress.reasons == ["The stream is not running: no answer, and nothing was begun"]


async def test_a_stream_that_failed_says_what_to_do(replica: Replica) -> None:
    session = await running(replica)
    await replica.ended(status=EgressStatus.COMPLETE)
    found = await health(replica, session)
    assert found.egress.reasons == [
        "The stream has failed: The stream ended by itself; ask for it again with ensure_hls_egress"
    ]


async def test_livekit_away_is_no_reason_to_give_no_answer(replica: Replica) -> None:
    session = await running(replica)
    replica.livekit.down()
    found = await health(replica, session)
    assert (found.status, found.room, found.tracks) == ("degraded", None, [])
    assert found.egress.reasons == ["LiveKit is unavailable: room and tracks are not known"]


async def test_an_ingress_is_told(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    made = await replica.livekit.create_rtmp_ingress(session.id, f"{HOST}:ingress", "n", "Hanna")
    ingress = (await health(replica, session)).ingress
    assert ingress is not None
    assert (ingress.ingress_id, ingress.publishing) == (made.ingress_id, None)
    replica.clock.advance(seconds=10)
    ingress = (await health(replica, session)).ingress
    assert ingress is not None
    assert ingress.publishing is False
    replica.livekit.ingresses[made.ingress_id] = replace(made, status="publishing")
    ingress = (await health(replica, session)).ingress
    assert ingress is not None
    assert ingress.publishing


async def test_who_moderates_may_look(replica: Replica) -> None:
    moderator = new_id()
    session = await replica.go_live(roles={moderator: Role.MODERATOR})
    viewer: dict[str, Any] = {"role": UserRole.VIEWER, "organization_id": None}
    look = replica.parts.health.of
    assert stream_health_response(
        await look(session.id, host_of(session, user_id=moderator, **viewer), None)
    ).room
    with pytest.raises(Forbidden):
        await look(session.id, host_of(session, user_id=new_id(), **viewer), None)
    with pytest.raises(NotFound):
        await look(session.id, host_of(session, user_id=new_id(), organization_id=new_id()), None)
    with pytest.raises(NotFound):
        await look(session.id, host_of(session), new_id())


async def told(replica: Replica, sent: IngressInput) -> StreamHealthResponse:
    """The health of a stream that is well, to whose ingress an encoder sends."""
    session = await running(replica)
    made = await replica.livekit.create_rtmp_ingress(session.id, f"{HOST}:ingress", "n", "Hanna")
    replica.livekit.ingresses[made.ingress_id] = replace(made, status="publishing", input=sent)
    return await health(replica, session)


PICTURE, SOUND = IngressVideo("hevc", 1280, 720), IngressAudio("aac", 48_000, 2)


async def test_what_an_encoder_sends_is_told(replica: Replica) -> None:
    found = await told(replica, IngressInput(PICTURE, SOUND))
    assert (found.status, found.egress.reasons) == ("healthy", [])
    assert found.ingress is not None
    assert found.ingress.video is not None
    assert (found.ingress.video.codec, found.ingress.video.width) == ("hevc", 1280)
    assert found.ingress.audio is not None
    assert (found.ingress.audio.codec, found.ingress.audio.channels) == ("aac", 2)


async def test_a_picture_that_nobody_gets_is_not_healthy(replica: Replica) -> None:
    problem = "The encoder's picture cannot be decoded (zzz1)"
    found = await told(replica, IngressInput(IngressVideo("zzz1"), SOUND, problem))
    assert (found.status, found.egress.reasons) == ("unhealthy", [problem])
    assert found.ingress is not None
    assert found.ingress.problem == problem


async def test_a_picture_that_nobody_has_got_yet_is_not_healthy(replica: Replica) -> None:
    found = await told(replica, IngressInput(IngressVideo("h264"), SOUND))
    expected = ["No picture of the encoder has been passed on yet"]
    assert (found.status, found.egress.reasons) == ("degraded", expected)


async def test_a_picture_that_does_not_arrive_at_the_recorder_is_not_healthy(replica: Replica) -> None:
    """Whoever sends it, and however: LiveKit lists the track all the same."""
    session = await running(replica)
    [egress] = await replica.planned(session)
    await replica.segment(session, egress.id, 3, missing=("Hanna", ""))
    found = await health(replica, session)
    expected = ["The picture of Hanna does not arrive", "The picture of somebody does not arrive"]
    assert (found.status, found.egress.reasons) == ("degraded", expected)
    await replica.segment(session, egress.id, 4)
    assert (await health(replica, session)).status == "healthy"


async def encoders(replica: Replica, *sent: IngressInput | None) -> StreamHealthResponse:
    """The health of a stream that is well, with these encoders; None: one that has stopped sending."""
    session = await running(replica)
    for number, one in enumerate(sent):
        made = await replica.livekit.create_rtmp_ingress(session.id, f"{number}:ingress", "n", "Hanna")
        status = "inactive" if one is None else "publishing"
        replica.livekit.ingresses[made.ingress_id] = replace(made, status=status, input=one)
    return await health(replica, session)


@pytest.mark.parametrize("broken_first", [False, True])
async def test_a_problem_of_any_encoder_is_told(replica: Replica, broken_first: bool) -> None:
    problem = "The encoder's picture cannot be decoded (zzz1)"
    sent = [IngressInput(PICTURE, SOUND), IngressInput(IngressVideo("zzz1"), SOUND, problem)]
    found = await encoders(replica, None, *(reversed(sent) if broken_first else sent))
    assert (found.status, found.egress.reasons) == ("unhealthy", [problem])
    assert found.ingress is not None
    assert found.ingress.problem == problem


async def test_each_problem_is_told_once(replica: Replica) -> None:
    first, second = "The picture cannot be decoded (a)", "The picture cannot be decoded (b)"
    sent = [IngressInput(PICTURE, SOUND, why) for why in (first, second, first)]
    found = await encoders(replica, *sent, IngressInput(video=PICTURE), IngressInput(video=PICTURE))
    assert found.egress.reasons == [first, second, "The encoder sends picture, but no sound"]


async def test_an_encoder_that_sends_is_shown_rather_than_one_that_does_not(replica: Replica) -> None:
    found = await encoders(replica, None, IngressInput(PICTURE, SOUND))
    assert (found.status, found.ingress is not None and found.ingress.video is not None) == ("healthy", True)


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (IngressInput(video=PICTURE), "The encoder sends picture, but no sound"),
        (IngressInput(audio=SOUND), "The encoder sends sound, but no picture"),
    ],
)
async def test_what_an_encoder_does_not_send_is_noted_and_is_well(
    replica: Replica, sent: IngressInput, note: str
) -> None:
    found = await told(replica, sent)
    assert (found.status, found.egress.reasons) == ("healthy", [note])


def sent_as(*mime_types: str, muted: bool = False) -> LiveKitTrack:
    return LiveKitTrack("TR_3", "video", "camera", muted=muted, width=1280, height=720, mime_types=mime_types)


@pytest.mark.parametrize("track", [sent_as("video/H265"), sent_as("video/h265", "video/H265")])
async def test_a_picture_in_h265_is_not_healthy(replica: Replica, track: LiveKitTrack) -> None:
    session = await running(replica)
    publish(replica, session, track, MUTED)
    found = await health(replica, session)
    reasons = [f"The picture TR_3 of {HOST} cannot be decoded (H.265)"]
    assert (found.status, found.egress.reasons) == ("unhealthy", reasons)


@pytest.mark.parametrize(
    "track",
    [
        sent_as("video/H264"),
        sent_as("video/AV1", "video/VP8"),
        sent_as("video/H265", "video/VP8"),
        sent_as("video/H265", muted=True),
        sent_as(),
    ],
)
async def test_a_picture_in_a_codec_that_is_decoded_is_healthy(replica: Replica, track: LiveKitTrack) -> None:
    session = await running(replica)
    publish(replica, session, track, replace(CAMERA, sid="TR_4"))
    assert (await health(replica, session)).status == "healthy"
