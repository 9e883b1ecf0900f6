"""Playlists from the records of segments."""

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.egress.streams.playlists import Opening, media_playlist
from shared.egress.segments import Segment
from tests.unit.egress.reconciler.builders import at

KEY, SESSION = "0" * 32, "0190a5d0-ac96-774b-bcce-b302099a8057"


def segment(n: int, epoch: int = 1, seconds: float = 0, **given: Any) -> Segment:
    fields: dict[str, Any] = {
        "key": KEY,
        "session_id": SESSION,
        "epoch": epoch,
        "n": n,
        "path": f"hls/{SESSION}/{KEY}/{epoch}/{n:06d}.ts",
        "starts_at": at(seconds),
        "duration": 2.0,
        "size": 1000,
    }
    return Segment(**(fields | given))


def lines(segments: Sequence[Segment], **given: Any) -> list[str]:
    options: dict[str, Any] = {"opening": Opening(), "ended": False, "seconds": 2, "whole": False}
    return media_playlist(segments, **(options | given)).splitlines()


def tags(found: Iterable[str], name: str) -> list[str]:
    return [line.partition(":")[2] for line in found if line.split(":")[0] == f"#{name}"]


def test_a_stream_that_begins() -> None:
    assert lines([segment(0), segment(1, seconds=2)]) == [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-PROGRAM-DATE-TIME:2030-01-01T12:00:00.000Z",
        "#EXTINF:2.000000,",
        f"{KEY}/1/000000.ts",
        "#EXTINF:2.000000,",
        f"{KEY}/1/000001.ts",
    ]


def test_another_recorder_is_a_discontinuity_with_a_time_of_its_own() -> None:
    found = lines([segment(4), segment(0, epoch=2, seconds=9.5)], opening=Opening(segments=4))
    at_break = found.index("#EXT-X-DISCONTINUITY")
    assert found[at_break + 1] == "#EXT-X-PROGRAM-DATE-TIME:2030-01-01T12:00:09.500Z"
    assert found[at_break + 3] == f"{KEY}/2/000000.ts"


def test_what_broke_before_a_segment_is_a_discontinuity() -> None:
    assert lines([segment(0), segment(1, discontinuity=True), segment(2)]).count("#EXT-X-DISCONTINUITY") == 1


def test_a_window_that_begins_at_a_break_still_has_it() -> None:
    opening = Opening(segments=7, breaks=1)
    found = lines([segment(0, epoch=3)], opening=opening)
    assert found.count("#EXT-X-DISCONTINUITY") == 1
    assert tags(found, "EXT-X-DISCONTINUITY-SEQUENCE") == ["1"]


def test_the_whole_one_only_grows_until_it_is_ended() -> None:
    growing = lines([segment(0)], whole=True)
    assert tags(growing, "EXT-X-PLAYLIST-TYPE") == ["EVENT"]
    assert "#EXT-X-ENDLIST" not in growing
    ended = lines([segment(0)], whole=True, ended=True)
    assert tags(ended, "EXT-X-PLAYLIST-TYPE") == ["VOD"]
    assert ended[-1] == "#EXT-X-ENDLIST"


@given(st.lists(st.floats(0.1, 9.9), min_size=1, max_size=20))
def test_no_segment_is_longer_than_the_target(durations: list[float]) -> None:
    found = lines([segment(n, duration=duration) for n, duration in enumerate(durations)])
    target = int(tags(found, "EXT-X-TARGETDURATION")[0])
    # RFC 8216, 4.3.3.1: rounded to the nearest integer.
    assert all(int(duration + 0.5) <= target for duration in durations)
