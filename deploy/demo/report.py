"""The end of the demo as people read it: what was seen beside what the API reports, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.demo.comparison import Row, agree
from deploy.demo.hls import HlsResult
from deploy.demo.media_file import ProbeResult
from deploy.demo.recording import RecordingCheck

LABEL_WIDTH = 36
MARKS = {True: "[green]ok[/green]", False: "[bold red]differs[/bold red]"}
RUNS_ON = (
    "The stack goes on running. Its API is described, and can be tried, at {base_url}/docs",
    "Look at the session again: GET {base_url}/sessions/{session_id}",
    "Addresses and sign-ins are in stack.json of its data directory; `greenroom down` stops it.",
)
STOPPED = (
    "The stack that was started for this demo is stopped now. To have one that stays:",
    "  .venv/bin/greenroom demo --keep   or   make up   and then open /docs at the address it shows",
)


@dataclass(frozen=True)
class MediaStats:
    """Of all viewers: frames received, seconds from going live to the first, milliseconds a picture took."""

    frames: int
    first_frame_seconds: float
    delay_milliseconds: int


@dataclass(frozen=True)
class CreatedIds:
    """What the host created for the demo."""

    room_id: str
    preset_id: str
    session_id: str


@dataclass(frozen=True)
class DemoResult:
    created: CreatedIds
    media: MediaStats
    rows: Sequence[Row]
    hls: HlsResult | None
    recording: RecordingCheck

    @property
    def agrees(self) -> bool:
        return agree(self.rows)


def show_result(console: Console, result: DemoResult) -> None:
    console.print()
    console.print(_comparison(result.rows))
    console.print()
    for label, value in _facts(result):
        console.print(f"  {label:<{LABEL_WIDTH}}{value}", markup=False, highlight=False, soft_wrap=True)
    console.print()
    wrong = [row for row in result.rows if not row.agrees]
    for row in wrong:
        text = f"{row.who}: {row.what}: really {row.really}, the API says {row.reported}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    if not wrong:
        console.print("The API reports exactly what happened.", style="bold green")


def _comparison(rows: Sequence[Row]) -> Table:
    table = Table(title="What really happened, and what the API reports", title_justify="left")
    for heading in ("who", "what", "really", "the API", ""):
        table.add_column(heading, justify="right" if heading in ("really", "the API") else "left")
    last = ""
    for row in rows:
        if last and row.who != last:
            table.add_section()
        who = "" if row.who == last else row.who
        table.add_row(who, row.what, row.really, row.reported, MARKS[row.agrees])
        last = row.who
    return table


def _facts(result: DemoResult) -> list[tuple[str, str]]:
    created, media = result.created, result.media
    return [
        ("Going live to the first frame", f"{media.first_frame_seconds:.2f} s"),
        ("From drawn to seen", f"{media.delay_milliseconds} ms (median)"),
        ("Frames received by the viewers", str(media.frames)),
        *_stream(result.hls),
        *_file(result.recording),
        ("Session", created.session_id),
        ("Room", created.room_id),
        ("Preset", created.preset_id),
    ]


def _stream(hls: HlsResult | None) -> list[tuple[str, str]]:
    if hls is None:
        return []
    return [
        ("Going live to a stream that plays", f"{hls.playable_after:.1f} s"),
        ("From drawn to a finished segment", f"{hls.latency:.1f} s"),
        ("Stream", _codecs(hls.probed)),
    ]


def _file(recording: RecordingCheck) -> list[tuple[str, str]]:
    length, codecs = recording.probed.format.duration, _codecs(recording.probed)
    return [("Recording", f"{recording.answer.id}: {length:.1f} s, {recording.size:,} bytes, {codecs}")]


def _codecs(probed: ProbeResult) -> str:
    return f"{probed.codec('video')} {probed.picture}, {probed.codec('audio')}"


def show_goodbye(
    console: Console, base_url: str, session_id: str, recording: Path | None, *, runs_on: bool
) -> None:
    """What to try next; `recording` is the recording's file, if it is on this machine."""
    lines = RUNS_ON if runs_on else STOPPED
    hints = [line.format(base_url=base_url, session_id=session_id) for line in lines]
    for line in [*([] if recording is None else [f"The recording's file: {recording}"]), *hints]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
