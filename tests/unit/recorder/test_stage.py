"""Who is on stage, and more of them than fit into the picture."""

from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc

from services.recorder.media.layout import MAX_TILES, Picture, SharedScreen, StageParticipant, scene
from services.recorder.media.video_feed import VideoFeed
from services.recorder.room.stage import SpeakerSelection, stage_participants
from services.recorder.room.tracks import is_what_it_says, subscribe


def person(identity: str, *, is_host: bool = False, screen: bool = False) -> StageParticipant:
    screens = (SharedScreen(VideoFeed(), 0),) if screen else ()
    return StageParticipant(identity, identity, screens=screens, is_host=is_host)


HOST = person("host", is_host=True)
CROWD = [HOST, *(person(f"guest {number:02d}") for number in range(1, 13))]


def seen(selection: SpeakerSelection, people: list[StageParticipant]) -> list[str]:
    return [one.identity for one in selection.select(people)]


def guests(*numbers: int) -> list[str]:
    return ["host", *(f"guest {number:02d}" for number in numbers)]


def test_all_are_seen_while_there_is_room() -> None:
    assert seen(SpeakerSelection(), CROWD[:MAX_TILES]) == [one.identity for one in CROWD[:MAX_TILES]]


def test_of_a_silent_crowd_the_first_are_seen() -> None:
    assert seen(SpeakerSelection(), CROWD) == guests(*range(1, 9))


def test_who_speaks_takes_the_place_of_who_was_silent_longest() -> None:
    selection = SpeakerSelection()
    seen(selection, CROWD)
    for number in (8, 1, 2):
        assert not selection.hear([f"guest {number:02d}"], float(number))
    assert selection.hear(["guest 12"], 20.0)
    assert seen(selection, CROWD) == guests(1, 2, 3, 4, 5, 6, 8, 12)
    selection.hear(["guest 09", "guest 10", "guest 11", "guest 12"], 21.0)
    assert seen(selection, CROWD) == guests(1, 2, 3, 8, 9, 10, 11, 12)
    selection.hear(["guest 07"], 22.0)
    selection.hear(["guest 06"], 23.0)
    assert seen(selection, CROWD) == guests(2, 6, 7, 8, 9, 10, 11, 12)


def test_nobody_else_comes_or_goes() -> None:
    selection = SpeakerSelection()
    selection.hear([], 0.0)
    before = seen(selection, CROWD)
    assert not selection.hear(["guest 03", "host"], 1.0)
    assert seen(selection, CROWD) == before


def test_hosts_and_who_shares_a_screen_are_always_seen() -> None:
    selection = SpeakerSelection()
    sharing = person("guest 13", screen=True)
    people = [*CROWD, sharing]
    selection.hear([one.identity for one in CROWD if one is not HOST], 1.0)
    selection.hear([], 1.0)
    found = selection.select(people)
    assert (HOST in found, sharing in found, len(found)) == (True, True, MAX_TILES + 1)
    assert len(scene(found, Picture(1280, 720))) == MAX_TILES + 1
    assert scene(found, Picture(1280, 720))[0].feed is sharing.screens[0].feed


def test_who_left_is_forgotten() -> None:
    selection = SpeakerSelection()
    selection.select(CROWD)
    selection.hear(["guest 12"], 1.0)
    assert seen(selection, CROWD[:-1]) == guests(*range(1, 9))
    assert seen(selection, CROWD) == guests(*range(1, 9))


def publication(
    kind: str, source: str, mime_type: str = "", *, sid: str = "TR_1"
) -> rtc.RemoteTrackPublication:
    found = SimpleNamespace(
        sid=sid,
        kind=rtc.TrackKind.Value(f"KIND_{kind.upper()}"),
        source=rtc.TrackSource.Value(f"SOURCE_{source}"),
        mime_type=mime_type,
        muted=False,
        subscribed=False,
    )
    found.set_subscribed = lambda wanted: setattr(found, "subscribed", wanted)
    return cast(rtc.RemoteTrackPublication, found)


def participant(
    identity: str, *tracks: rtc.RemoteTrackPublication, kind: str = "STANDARD"
) -> rtc.RemoteParticipant:
    found = SimpleNamespace(
        identity=identity,
        name=identity.partition(":")[0].title(),
        kind=rtc.ParticipantKind.Value(f"PARTICIPANT_KIND_{kind}"),
        joined_at=None,
        attributes={},
        track_publications={track.sid: track for track in tracks},
    )
    return cast(rtc.RemoteParticipant, found)


@pytest.mark.parametrize(
    ("kind", "source", "mime_type", "taken"),
    [
        ("video", "CAMERA", "video/vp8", True),
        ("video", "SCREENSHARE", "video/h264", True),
        ("audio", "MICROPHONE", "audio/red", True),
        ("audio", "SCREENSHARE_AUDIO", "", True),
        ("audio", "UNKNOWN", "audio/opus", True),
        ("audio", "CAMERA", "audio/opus", False),
        ("audio", "SCREENSHARE", "audio/opus", False),
        ("video", "MICROPHONE", "video/vp8", False),
        ("video", "SCREENSHARE_AUDIO", "", False),
        ("video", "CAMERA", "audio/opus", False),
        ("video", "UNKNOWN", "audio/opus", False),
    ],
)
def test_only_who_publishes_what_they_say_is_on_stage(
    kind: str, source: str, mime_type: str, *, taken: bool
) -> None:
    track = publication(kind, source, mime_type)
    assert is_what_it_says(track) is taken
    vera = participant("vera:1", track)
    shown = stage_participants([vera], {track.sid: VideoFeed()})
    assert [one.name for one in shown] == (["Vera"] if taken else [])
    subscribe([vera])
    assert track.subscribed is taken


def test_all_cameras_and_screens_that_are_not_muted_are_taken() -> None:
    tracks = [
        publication("video", source, "video/vp8", sid=sid)
        for sid, source in (("c1", "CAMERA"), ("s1", "SCREENSHARE"), ("c2", "CAMERA"), ("c3", "CAMERA"))
    ]
    cast(SimpleNamespace, tracks[2]).muted = True
    later = publication("video", "SCREENSHARE", "video/vp8", sid="s2")
    feeds = {sid: VideoFeed() for sid in ("c1", "s1", "c2", "s2")}  # c3 is not subscribed to yet.
    bob, vera = stage_participants([participant("vera:1", *tracks), participant("bob:1", later)], feeds)
    assert vera.cameras == (feeds["c1"],)
    assert [one.feed for one in vera.screens] == [feeds["s1"]]
    assert [one.feed for one in bob.screens] == [feeds["s2"]]
    assert bob.screens[0].number > vera.screens[0].number


@pytest.mark.parametrize(
    ("identity", "kind", "encodes"),
    [
        ("host:01a1fd00", "STANDARD", False),
        ("host:whip", "STANDARD", True),
        ("host:ingress", "STANDARD", True),
        ("host:whip:01a1fd00", "STANDARD", True),
        ("whip:01a1fd00", "STANDARD", False),
        ("host:ingress", "INGRESS", True),
        ("anything", "INGRESS", True),
    ],
)
def test_encoders_are_told_from_people(identity: str, kind: str, *, encodes: bool) -> None:
    track = publication("video", "CAMERA", "video/h264")
    (one,) = stage_participants([participant(identity, track, kind=kind)], {track.sid: VideoFeed()})
    assert one.is_encoder is encodes


def test_a_second_screen_takes_the_box_of_who_has_been_silent_longest() -> None:
    selection = SpeakerSelection()
    selection.hear(["guest 12"], 1.0)
    people = [*CROWD, person("guest 13", screen=True), person("guest 14", screen=True)]
    found = selection.select(people)
    assert [one.identity for one in found] == [*guests(1, 2, 3, 4, 5, 6, 12), "guest 13", "guest 14"]
    assert len(scene(found, Picture(1280, 720))) == MAX_TILES + 1


def test_who_shares_without_end_is_seen() -> None:
    many = tuple(SharedScreen(VideoFeed(), number) for number in range(30))
    sharing = StageParticipant("guest 13", "guest 13", screens=many)
    found = SpeakerSelection().select([HOST, sharing])
    assert len(scene(found, Picture(1280, 720))) == MAX_TILES + 1
