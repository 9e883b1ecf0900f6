"""Sound is announced to LiveKit with two channels; everything else stays as the SDK sent it."""

from livekit.protocol.models import TrackType
from livekit.protocol.rtc import AddTrackRequest, SignalRequest

from services.relay.signalling import announced


def test_sound_is_announced_with_two_channels() -> None:
    request = SignalRequest(add_track=AddTrackRequest(cid="1", name="sound", type=TrackType.AUDIO))
    heard = SignalRequest.FromString(announced(request.SerializeToString()))
    assert heard.add_track.stereo
    assert (heard.add_track.cid, heard.add_track.name) == ("1", "sound")


def test_whatever_else_is_said_is_passed_on_as_it_is() -> None:
    picture = SignalRequest(add_track=AddTrackRequest(cid="2", type=TrackType.VIDEO))
    for request in (picture, SignalRequest(ping=7), SignalRequest()):
        assert announced(request.SerializeToString()) == request.SerializeToString()
