"""Pictures that show one person large: the active speaker, with the others beside or alone."""

import pytest
from pydantic import TypeAdapter

from services.recorder.media.layout import Box, Picture, SharedScreen, StageParticipant, Tile, scene
from services.recorder.media.video_feed import VideoFeed
from services.recorder.room.stage import SpeakerSelection
from shared.contracts.states import Layout, VideoFit
from shared.egress.engine import EncodingOptions

SPEAKER = Picture(1280, 720, layout=Layout.SPEAKER)
SINGLE = Picture(1280, 720, layout=Layout.SINGLE_SPEAKER)
WHOLE_PICTURE = Box(0, 0, 1280, 720)
LARGE = Box(0, 0, 1024, 720)


def person(name: str, cameras: int = 1, *screens: int) -> StageParticipant:
    return StageParticipant(
        name,
        name,
        cameras=tuple(VideoFeed() for _ in range(cameras)),
        screens=tuple(SharedScreen(VideoFeed(), number) for number in screens),
    )


ANNA, BOB, CARL = person("Anna"), person("Bob"), person("Carl", 0)


def names(tiles: tuple[Tile, ...]) -> list[str]:
    return [tile.name for tile in tiles]


@pytest.mark.parametrize(("speaker", "shown"), [(None, "Anna"), ("Bob", "Bob"), ("gone", "Anna")])
def test_the_speaker_is_large_and_the_others_beside(speaker: str | None, shown: str) -> None:
    large, *beside = scene([ANNA, BOB, CARL], SPEAKER, speaker)
    assert (large.name, large.box, large.whole) == (shown, LARGE, True)
    assert sorted(names(tuple(beside))) == sorted({"Anna", "Bob", "Carl"} - {shown})
    assert [(tile.box.left, tile.box.top) for tile in beside] == [(1024, 0), (1024, 144)]
    assert not any(tile.whole for tile in beside)


def test_somebody_without_a_camera_who_speaks_is_large_too() -> None:
    large = scene([ANNA, CARL], SPEAKER, "Carl")[0]
    assert (large.name, large.feed, large.box) == ("Carl", None, LARGE)


@pytest.mark.parametrize("picture", [SPEAKER, SINGLE])
def test_whoever_is_alone_has_the_whole_picture(picture: Picture) -> None:
    [alone] = scene([ANNA], picture)
    assert (alone.box, alone.whole, alone.feed) == (WHOLE_PICTURE, True, ANNA.cameras[0])
    assert scene([], picture) == ()


def test_the_speaker_alone() -> None:
    [shown] = scene([ANNA, BOB, CARL], SINGLE, "Bob")
    assert (shown.name, shown.box, shown.whole) == ("Bob", WHOLE_PICTURE, True)


def test_a_shared_screen_takes_the_speakers_place() -> None:
    presenter = person("Dora", 1, 3)
    large, *beside = scene([ANNA, presenter], SPEAKER, "Anna")
    assert (large.feed, names(tuple(beside))) == (presenter.screens[0].feed, ["Anna", "Dora"])
    [alone] = scene([ANNA, presenter], SINGLE, "Anna")
    assert (alone.feed, alone.box) == (presenter.screens[0].feed, WHOLE_PICTURE)


def test_the_speakers_other_cameras_are_beside() -> None:
    two = person("Eve", 2)
    large, *beside = scene([ANNA, two], SPEAKER, "Eve")
    assert large.feed is two.cameras[0]
    assert [tile.feed for tile in beside] == [ANNA.cameras[0], two.cameras[1]]


def test_in_a_grid_it_makes_no_difference_who_speaks() -> None:
    assert scene([ANNA, BOB], Picture(1280, 720), "Bob") == scene([ANNA, BOB], Picture(1280, 720), "Anna")


def test_the_loudest_is_the_speaker_for_as_long_as_they_speak() -> None:
    selection = SpeakerSelection()
    selection.select([ANNA, BOB, CARL])
    assert selection.speaker is None
    spoken: list[tuple[list[str], str]] = [
        (["Bob", "Anna"], "Bob"),
        (["Anna", "Bob"], "Bob"),
        ([], "Bob"),
        (["Carl", "Anna"], "Carl"),
    ]
    for heard, speaker in spoken:
        selection.hear(heard, 1.0)
        assert selection.speaker == speaker


@pytest.mark.parametrize(
    ("stored", "layout"),
    [
        ("grid", Layout.GRID),
        ("single-speaker", Layout.SINGLE_SPEAKER),
        ("single_speaker", Layout.SINGLE_SPEAKER),
    ],
)
def test_orders_of_earlier_releases_are_read(stored: str, layout: Layout) -> None:
    read = TypeAdapter(EncodingOptions).validate_python({"layout": stored, "width": 640, "video_fit": "fit"})
    assert (read.layout, read.width, read.video_fit) == (layout, 640, VideoFit.FIT)
    assert TypeAdapter(EncodingOptions).validate_python({}) == EncodingOptions()
