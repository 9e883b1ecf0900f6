"""The playlists that LiveKit wrote for each egress, as one."""

from services.egress.streams.livekit_playlists import LiveKitPlaylist, read, whole, window


def playlist(numbers: range, *, first: int = 0, ended: bool = False) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-ALLOW-CACHE:NO"]
    lines += ["#EXT-X-TARGETDURATION:4", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for number in numbers:
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:{number:02d}Z",
            "#EXTINF:4.000,",
            f"{number}.ts",
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if ended else lines) + "\n"


def full(name: str, count: int) -> LiveKitPlaylist:
    return read(playlist(range(count), ended=True), name)


def live(name: str, first: int, count: int) -> LiveKitPlaylist:
    return read(playlist(range(first, first + count), first=first), name)


def lines(text: str, *starts: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(starts)]


def files(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_one_is_read_one_level_up() -> None:
    assert whole([full("a", 2)], ended=False).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:00Z",
        "#EXTINF:4.000,",
        "a/0.ts",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:01Z",
        "#EXTINF:4.000,",
        "a/1.ts",
    ]


def test_the_archive_has_all_parts_with_a_break_between() -> None:
    text = whole([full("a", 2), LiveKitPlaylist(), full("b", 1)], ended=True)
    assert files(text) == ["a/0.ts", "a/1.ts", "b/0.ts"]
    assert lines(text, "#EXT-X-DISCONTINUITY", "#EXT-X-ENDLIST") == ["#EXT-X-DISCONTINUITY", "#EXT-X-ENDLIST"]
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
    written = text.splitlines()
    assert written.index("#EXT-X-DISCONTINUITY") == written.index("a/1.ts") + 1


def test_players_follow_from_one_egress_to_the_next() -> None:
    """Each number names the same segment in every window that has it."""
    named: dict[int, str] = {}
    before = [full("a", 9)]
    windows = [window([], live("a", 4, 5), ended=False), window(before, LiveKitPlaylist(), ended=False)]
    windows += [window(before, live("b", 0, count), ended=False) for count in range(1, 6)]
    windows += [window(before, live("b", first, 5), ended=False) for first in range(1, 4)]
    for text in windows:
        (said,) = lines(text, "#EXT-X-MEDIA-SEQUENCE:")
        for number, file in enumerate(files(text), int(said.partition(":")[2])):
            assert named.setdefault(number, file) == file
    assert [named[number] for number in range(8, 11)] == ["a/8.ts", "b/0.ts", "b/1.ts"]


def test_breaks_that_left_the_window_are_counted() -> None:
    before = [full("a", 2), full("b", 2)]
    counts = []
    for current in (live("c", 0, 1), live("c", 0, 5), live("c", 1, 5), live("c", 9, 5)):
        text = window(before, current, ended=False)
        (said,) = lines(text, "#EXT-X-DISCONTINUITY-SEQUENCE:")
        counts.append(
            (int(said.partition(":")[2]), len([one for one in lines(text, "#EXT-X-DIS") if ":" not in one]))
        )
    assert counts == [(0, 2), (1, 1), (2, 0), (2, 0)]


def test_an_ended_stream_says_so() -> None:
    assert window([], live("a", 3, 5), ended=True).endswith("#EXT-X-ENDLIST\n")
    assert "ENDLIST" not in window([], full("a", 3), ended=False)
