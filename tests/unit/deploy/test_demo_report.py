"""What is shown while the demo runs, and at its end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.api import RecordingData
from deploy.demo.comparison import Row
from deploy.demo.hls import HlsResult
from deploy.demo.host_signal import WRAP
from deploy.demo.media_file import DecodedMedia, ProbedFormat, ProbedStream, ProbeResult
from deploy.demo.progress import ProgressDisplay, display_on
from deploy.demo.recording import OnAirTimes, RecordingCheck
from deploy.demo.report import CreatedIds, DemoResult, MediaStats, show_goodbye, show_result

BASE_URL = "http://127.0.0.1:8080"


def console(*, terminal: bool = False) -> tuple[Console, Callable[[], str]]:
    output = io.StringIO()
    shown = Console(file=output, force_terminal=terminal, color_system=None, width=100)
    return shown, output.getvalue


def play(show: ProgressDisplay) -> None:
    with show.step("Viewers join", total=2) as step:
        step.advance()
        show.counts("1 watching")
        show.counts("1 watching")
        show.note("Ada waits")
        step.detail("all of them")
    with pytest.raises(ValueError), show.step("The host ends the session"):
        raise ValueError
    with pytest.raises(asyncio.CancelledError), show.step("Everybody watches"):
        raise asyncio.CancelledError


def test_elsewhere_than_on_a_terminal_each_step_and_change_is_a_line() -> None:
    shown, text = console()
    seconds = iter([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    with display_on(shown, lambda: next(seconds)) as show:
        play(show)
    assert text().splitlines() == [
        "   1.0 s    1 watching",
        "   2.0 s    Ada waits",
        "   3.0 s  Viewers join: all of them",
        "   4.0 s  The host ends the session: failed",
        "   5.0 s  Everybody watches: interrupted",
    ]


def test_on_a_terminal_steps_that_are_over_stay_to_be_seen() -> None:
    shown, text = console(terminal=True)
    with display_on(shown, lambda: 0.0) as show:
        play(show)
    assert "! Ada waits" in text()
    assert "✓ Viewers join  all of them" in text()
    assert "✗ The host ends the session  failed" in text()


def outcome(*, agrees: bool) -> DemoResult:
    rows = [
        Row("Ada", "joins", "2", "2", agrees=True),
        Row("Ada", "watched", "9.1 s", "4 s", agrees=agrees),
    ]
    probed = ProbeResult(
        streams=[
            ProbedStream(codec_type="video", codec_name="h264", width=1280, height=720),
            ProbedStream(codec_type="audio", codec_name="aac"),
        ],
        format=ProbedFormat(duration=21.4),
    )
    answer = RecordingData(id="rec-1", status="completed", duration=21, file_size=1234567, error_message=None)
    hls = HlsResult(playable_after=4.2, latency=2.6, lag=0.0, probed=probed)
    decoded = DecodedMedia(shown=[0.0, 21.0], drawn=[100.0, 121.2], tone=True)
    recording = RecordingCheck(answer, 1234567, probed, decoded)
    return DemoResult(CreatedIds("r-1", "p-1", "s-1"), MediaStats(99, 0.61, 21), rows, hls, recording)


def test_the_end_shows_both_sides_the_ids_and_the_times() -> None:
    shown, text = console()
    show_result(shown, outcome(agrees=True))
    for part in ("9.1 s", "r-1", "p-1", "s-1", "0.61 s", "21 ms", "4.2 s", "2.6 s", "reports exactly"):
        assert part in text()
    for part in ("rec-1: 21.4 s, 1,234,567 bytes", "h264 1280x720, aac"):
        assert part in text()


def test_what_differs_is_named_at_the_end() -> None:
    shown, text = console()
    show_result(shown, outcome(agrees=False))
    assert text().splitlines()[-1] == "Ada: watched: really 9.1 s, the API says 4 s"
    assert not outcome(agrees=False).agrees


@pytest.mark.parametrize(("runs_on", "part"), [(True, f"{BASE_URL}/docs"), (False, "greenroom demo --keep")])
def test_the_goodbye_says_how_to_go_on(runs_on: bool, part: str) -> None:
    shown, text = console()
    show_goodbye(shown, BASE_URL, "s-1", Path("/data/a.mp4"), runs_on=runs_on)
    assert part in text()
    assert "The recording's file: /data/a.mp4" in text()
    assert (f"GET {BASE_URL}/sessions/s-1" in text()) is runs_on


@pytest.mark.parametrize("clock", [0.0, 3 * WRAP / 1000])
def test_a_recording_is_compared_with_what_was_on_air(clock: float) -> None:
    recording = outcome(agrees=True).recording
    rows = recording.rows(on_air(clock, 99.0, 121.0, 121.2))
    assert [(row.what, row.agrees) for row in rows] == [
        ("begins after going on air", True),
        ("from there to the end", True),
        ("drift of its clock", True),
        ("duration", True),
        ("size in bytes", True),
        ("tone heard", True),
    ]
    answer = recording.answer.model_copy(update={"duration": 19, "file_size": 5})
    decoded = DecodedMedia(shown=[0.0, 21.0], drawn=[100.0, 119.0])
    short = replace(recording, answer=answer, decoded=decoded)
    assert [row.agrees for row in short.rows(on_air(clock, 88.0, 124.0, 125.0))] == [False] * 6


def on_air(clock: float, since: float, end_asked: float, all_gone: float, *, late: float = 0.0) -> OnAirTimes:
    """`late` in seconds: the stream could be played later, and its pictures came later."""
    playable_at = clock + since + 5.0 + late
    return OnAirTimes(clock + since, playable_at, clock + end_asked, clock + all_gone, late)


def test_a_stream_that_is_late_on_a_busy_machine_may_have_a_recording_that_is_as_late() -> None:
    recording = outcome(agrees=True).recording
    in_time, late = (recording.rows(on_air(0.0, 88.0, 124.0, 124.2, late=late)) for late in (0.0, 7.5))
    differing = [[row.what for row in rows if not row.agrees] for rows in (in_time, late)]
    assert differing == [["begins after going on air", "from there to the end"], []]
